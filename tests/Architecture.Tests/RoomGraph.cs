using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace UvlhubAspire.Architecture.Tests;

/// <summary>
/// Which of the AppHost's rooms refer to which, by the compiler's own understanding of the source: constants, which leave
/// no trace in the assembly, count as well, and extension methods are where their file is, whatever their namespace.
/// </summary>
internal static class RoomGraph
{
    /// <summary>The references between rooms, each with the places where they are made.</summary>
    /// <param name="planted">Files beside those that are there, by their path below the AppHost's folder.</param>
    public static ILookup<(string From, string To), string> Read(params (string Path, string Text)[] planted)
    {
        var folder = Path.Combine(House.Root, "AppHost");
        var trees = Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => !IsBuilt(file))
            .Concat(Directory.EnumerateFiles(Path.Combine(folder, "obj"), "AppHost.GlobalUsings.g.cs", SearchOption.AllDirectories).Take(1))
            .Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), path: file))
            .Concat(planted.Select(file => CSharpSyntaxTree.ParseText(file.Text, path: Path.Combine(folder, file.Path))))
            .ToList();
        var compilation = CSharpCompilation.Create(
            "AppHost",
            trees,
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
                .Where(
                    assembly => Path.GetFileName(assembly) != "AppHost.dll").Select(assembly => MetadataReference.CreateFromFile(assembly)),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication));
        return trees.Where(tree => !IsBuilt(tree.FilePath)).SelectMany(tree => References(compilation.GetSemanticModel(tree), tree, folder))
            .Distinct().ToLookup(found => (found.From, found.To), found => found.Place);
    }

    private static IEnumerable<(string From, string To, string Place)> References(SemanticModel model, SyntaxTree tree, string folder)
    {
        var room = Room(tree.FilePath, folder);
        return from name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>()
               let symbol = model.GetSymbolInfo(name).Symbol
               let declared = symbol?.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath
               where declared is not null && !IsBuilt(declared) && symbol is not INamespaceSymbol
               let to = Room(declared, folder)
               where to != room
               select (
                   room, to,
                   $"{Path.GetRelativePath(folder, tree.FilePath)}:{name.GetLocation().GetLineSpan().StartLinePosition.Line + 1}: "
                   + $"{name.Identifier.Text}");
    }

    private static string Room(string file, string folder) => Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar)[0];

    private static bool IsBuilt(string file) =>
        file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin");
}
