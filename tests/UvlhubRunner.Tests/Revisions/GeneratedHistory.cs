using CsCheck;

namespace UvlhubAspire.UvlhubRunner.Tests.Revisions;

/// <summary>
/// A made-up history: revision <c>i</c> follows only smaller ones, and each file is written in a style of its own, the first
/// four as Alembic's template may write it, the others in ways that Alembic itself has to read.
/// </summary>
internal sealed record GeneratedHistory(IReadOnlyList<IReadOnlyList<int>> Parents, IReadOnlyList<int> Styles, IReadOnlyList<int> FileOrder)
{
    private const int TemplateStyles = 4;

    private const int AllStyles = 10;

    public static Gen<GeneratedHistory> Any { get; } = InStyles(TemplateStyles);

    public static Gen<GeneratedHistory> InAnyStyle { get; } = InStyles(AllStyles);

    /// <summary>The same history, joined by a last revision where it has several heads.</summary>
    public static Gen<GeneratedHistory> WithOneHead { get; } = Any.Select(history => history.Heads.Count == 1
        ? history
        : new GeneratedHistory([.. history.Parents, history.Heads], [.. history.Styles, 2], [.. history.FileOrder, history.Count]));

    public int Count => Parents.Count;

    public IReadOnlyList<int> Heads => [.. Enumerable.Range(0, Count).Except(Parents.SelectMany(parents => parents))];

    public static string Id(int index) => $"r{index:x4}";

    public string FileOf(int index) => $"{FileOrder[index]:000}_{Id(index)}.py";

    /// <summary>A revision and all that it builds on, the slow and simple way.</summary>
    public HashSet<int> WithAncestors(int index)
    {
        HashSet<int> found = [index];
        for (var later = index; later >= 0; later--)
        {
            if (found.Contains(later))
            {
                found.UnionWith(Parents[later]);
            }
        }

        return found;
    }

    public void Write(RevisionFolder folder)
    {
        for (var index = 0; index < Count; index++)
        {
            folder.Write(FileOf(index), Text(index, Parents[index].Select(Id)));
        }
    }

    public string Text(int index, IEnumerable<string> parents)
    {
        var style = Styles[index];
        string[] ids = [.. parents];
        var quote = style % 2 == 0 ? "'" : "\"";
        string Quoted(string id) => style switch
        {
            4 => $"{quote}{id[..2]}{quote} {quote}{id[2..]}{quote}",
            5 => $"{quote}{quote}{quote}{id}{quote}{quote}{quote}",
            6 => string.Concat(id.Select((letter, position) => position == 0 ? $"{quote}\\x{(int)letter:x2}" : $"{letter}")) + quote,
            7 => $"f{quote}{id[..2]}{{str({(style % 2 == 0 ? $"\"{id[2..]}\"" : $"'{id[2..]}'")})}}{quote}",
            8 => $"{quote}{id[..1]}{quote} + {quote}{id[1..]}{quote}",
            _ => $"{quote}{id}{quote}",
        };
        var down = ids.Length switch
        {
            0 => style == 9 ? "()" : "None",
            1 when style is not 3 and not 9 => Quoted(ids[0]),
            _ when style is 9 => $"[{string.Join(", ", ids.Select(Quoted))}]",
            _ when style is 4 => $"(\n    {string.Join(",  # and\n    ", ids.Select(Quoted))},\n)",
            _ => $"({string.Join(", ", ids.Select(Quoted))},)",
        };
        var annotation = style is 2 or 9 ? ": Union[str, Sequence[str], None]" : "";
        return $"""
            {quote}{quote}{quote}Revision {index} of many

            Revision ID: {Id(index)}
            down_revision = {(style % 2 == 0 ? "\"not this one\"" : "'not this one'")}
            {quote}{quote}{quote}
            from typing import Sequence, Union

            from alembic import op
            import sqlalchemy as sa

            # revision identifiers, used by Alembic.
            revision{(style == 2 ? ": str" : "")} = {Quoted(Id(index))}
            down_revision{annotation} = {down}  # of many
            branch_labels = None
            depends_on = None


            def upgrade():
                {(style == 9 ? "revision = " : "")}op.create_table("t{index}", sa.Column("id", sa.Integer(), nullable=False))

            """;
    }

    private static Gen<GeneratedHistory> InStyles(int number) =>
        from count in Gen.Int[1, 24]
        from seeds in Gen.Int[0, int.MaxValue - 1].Array[4].Array[count]
        from styles in Gen.Int[0, number - 1].Array[count]
        from order in Gen.Shuffle(Enumerable.Range(0, count).ToArray())
        select new GeneratedHistory(
            [.. seeds.Select((seed, index) => (IReadOnlyList<int>)[.. seed.Take(seed[0] % 4).Where(_ => index > 0).Select(value => value % Math.Max(index, 1)).Distinct()])],
            styles,
            order);
}
