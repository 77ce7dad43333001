namespace UvlhubAspire.Runner.Revisions;

/// <summary>
/// The revisions of a checkout and how they follow each other. The meaning is Alembic's
/// (https://github.com/sqlalchemy/alembic/blob/main/alembic/script/revision.py); what Alembic only warns about, a duplicate or
/// a missing parent, is refused, because the schema that comes of it depends on file names.
/// </summary>
internal sealed class RevisionGraph
{
    // States of a refusal.
    public const string NoFolder = "no-migrations-folder";

    public const string NoRevisions = "no-revisions";

    public const string BrokenHistory = "broken-history";

    public const string SeveralHeads = "several-heads";

    public const string UnknownRevision = "unknown-revision";

    private readonly string _folder;
    private readonly Dictionary<string, Revision> _byId;
    private readonly Dictionary<string, IReadOnlyList<string>> _before;

    /// <param name="revisions">The revisions, in the order of their files.</param>
    /// <exception cref="MigrationRefusedException">
    /// They form no history (a cycle, a missing parent, a duplicate). The message names file, line and reason.
    /// </exception>
    public RevisionGraph(string folder, IReadOnlyList<Revision> revisions)
    {
        _folder = folder;
        _byId = ById(revisions);
        _before = Before(revisions, _byId);
        Revisions = Sort(_byId, _before);
        var parents = revisions.SelectMany(revision => revision.Parents).ToHashSet(StringComparer.Ordinal);
        Heads = [.. Revisions.Where(revision => !parents.Contains(revision.Id))];
    }

    /// <summary>All revisions, each after its parents and dependencies; else in the order of their identifiers.</summary>
    public IReadOnlyList<Revision> Revisions { get; }

    /// <summary>The revisions that no other one has as a parent.</summary>
    public IReadOnlyList<Revision> Heads { get; }

    /// <exception cref="MigrationRefusedException">There is none, or there are several; the message says how to join them.</exception>
    public Revision Head => Heads switch
    {
        [var head] => head,
        [] => throw new MigrationRefusedException(
            NoRevisions,
            $"{_folder}: there is no revision in this folder, so nothing tells which tables the application needs.",
            "Get the migrations from your repository ('git status', 'git checkout -- migrations'), or make a first one with 'flask db "
            + "migrate'."),
        _ => throw new MigrationRefusedException(
            SeveralHeads,
            $"{_folder}: the history has {Heads.Count} newest revisions, as happens when two branches that each added one are "
            + $"merged:{Environment.NewLine}" +
            string.Join(Environment.NewLine, Heads.Select(head => $"  {head}  {head.File}")),
            $"Nothing was changed in the database. Join them with a revision of your own, then start once more:{Environment.NewLine}" +
            $"  flask db merge -m \"merge heads\" {string.Join(' ', Heads.Select(head => head.Id))}"),
    };

    public bool Contains(string id) => _byId.ContainsKey(id);

    /// <summary>The revision of this identifier; <see langword="null"/> if the checkout does not have it.</summary>
    public Revision? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>What an upgrade to <see cref="Head"/> runs, in order.</summary>
    /// <param name="currentVersions">The rows of the database's <c>alembic_version</c>; none for an empty database.</param>
    /// <exception cref="MigrationRefusedException">There is not exactly one head, or a version is not in the checkout.</exception>
    public IReadOnlyList<Revision> Pending(IEnumerable<string> currentVersions)
    {
        var needed = WithAncestors([Head.Id]);
        var present = WithAncestors(currentVersions.Select(version => Contains(version)
            ? version
            : throw new MigrationRefusedException(
                UnknownRevision,
                $"{_folder}: the database is at revision '{version}', which no file of this folder has.",
                "Switch to the branch that has it, or restore a snapshot of before.")));
        return [.. Revisions.Where(revision => needed.Contains(revision.Id) && !present.Contains(revision.Id))];
    }

    private static Dictionary<string, Revision> ById(IReadOnlyList<Revision> revisions)
    {
        Dictionary<string, Revision> byId = new(StringComparer.Ordinal);
        foreach (var revision in revisions)
        {
            if (!byId.TryAdd(revision.Id, revision))
            {
                throw RevisionReader.Broken(
                    revision.File,
                    null,
                    $"the revision '{revision.Id}' is already in {byId[revision.Id].File}",
                    "Nothing was changed in the database. Delete one of the two files if they do the same; otherwise give one of them a "
                    + "new identifier and let it follow the other ('down_revision').");
            }
        }

        return byId;
    }

    private static Dictionary<string, IReadOnlyList<string>> Before(
        IReadOnlyList<Revision> revisions, Dictionary<string, Revision> byId)
    {
        var labels = ReadLabels(revisions, byId);
        Dictionary<string, IReadOnlyList<string>> before = new(StringComparer.Ordinal);
        foreach (var revision in revisions)
        {
            foreach (var parent in revision.Parents.Where(parent => !byId.ContainsKey(parent)))
            {
                throw RevisionReader.Broken(
                    revision.File,
                    revision.ParentsLine,
                    $"it follows the revision '{parent}' (down_revision), which no file of this folder has",
                    $"Nothing was changed in the database. Bring the file of '{parent}' back ('git log --all --oneline -S {parent} -- "
                    + $"migrations' finds the commit that had it), or let '{revision.Id}' follow a revision that is there.");
            }

            var dependencies = revision.DependsOn.Select(dependency =>
                byId.ContainsKey(dependency) ? dependency
                : labels.TryGetValue(dependency, out var labelled) ? labelled.Id
                : throw RevisionReader.Broken(
                    revision.File, null,
                    $"it depends on '{dependency}' (depends_on), which is neither a revision nor a branch label of this folder"));
            before[revision.Id] = [.. revision.Parents.Concat(dependencies).Distinct(StringComparer.Ordinal)];
        }

        return before;
    }

    private static Dictionary<string, Revision> ReadLabels(IEnumerable<Revision> revisions, Dictionary<string, Revision> byId)
    {
        Dictionary<string, Revision> labels = new(StringComparer.Ordinal);
        foreach (var revision in revisions)
        {
            foreach (var label in revision.BranchLabels)
            {
                if (byId.GetValueOrDefault(label) is { } same)
                {
                    throw RevisionReader.Broken(revision.File, null, $"its branch label '{label}' is also the revision of {same.File}");
                }

                if (!labels.TryAdd(label, revision))
                {
                    throw RevisionReader.Broken(revision.File, null, $"its branch label '{label}' is already in {labels[label].File}");
                }
            }
        }

        return labels;
    }

    private HashSet<string> WithAncestors(IEnumerable<string> ids)
    {
        HashSet<string> found = new(StringComparer.Ordinal);
        Stack<string> open = new(ids);
        while (open.TryPop(out var id))
        {
            if (found.Add(id))
            {
                foreach (var earlier in _before[id])
                {
                    open.Push(earlier);
                }
            }
        }

        return found;
    }

    private static IReadOnlyList<Revision> Sort(Dictionary<string, Revision> byId, Dictionary<string, IReadOnlyList<string>> before)
    {
        var missing = before.ToDictionary(item => item.Key, item => item.Value.Count, StringComparer.Ordinal);
        var after = before
            .SelectMany(item => item.Value.Select(earlier => (earlier, later: item.Key)))
            .ToLookup(pair => pair.earlier, pair => pair.later, StringComparer.Ordinal);
        PriorityQueue<string, string> ready = new(
            missing.Where(item => item.Value == 0).Select(item => (item.Key, item.Key)), StringComparer.Ordinal);
        List<Revision> sorted = new(byId.Count);
        while (ready.TryDequeue(out var id, out _))
        {
            sorted.Add(byId[id]);
            foreach (var later in after[id])
            {
                if (--missing[later] == 0)
                {
                    ready.Enqueue(later, later);
                }
            }
        }

        return sorted.Count == byId.Count ? sorted : throw Cycle(byId, before, missing);
    }

    private static MigrationRefusedException Cycle(
        Dictionary<string, Revision> byId, Dictionary<string, IReadOnlyList<string>> before, Dictionary<string, int> missing)
    {
        // Everything still missing something has an earlier revision that does too: walking back must come round.
        var id = missing.Where(item => item.Value > 0).Select(item => item.Key).Min(StringComparer.Ordinal)!;
        List<string> walked = [];
        while (!walked.Contains(id))
        {
            walked.Add(id);
            id = before[id].First(earlier => missing[earlier] > 0);
        }

        var cycle = walked[walked.IndexOf(id)..];
        return RevisionReader.Broken(
            byId[cycle[0]].File,
            null,
            $"its history comes back to itself: {string.Join(" follows ", cycle.Append(cycle[0]))} "
            + $"({string.Join(", ", cycle.Select(step => byId[step].File))})",
            "Nothing was changed in the database. Correct the 'down_revision' (or 'depends_on') of one of these files, so that one of "
            + "them comes first.");
    }
}
