using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Images;

public sealed class BuildInputsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("COPY requirements.txt .", "requirements.txt", true)]
    [InlineData("COPY app/ ./app", "app/page.html", false)]
    [InlineData("COPY app/ ./app", "app/pyproject.toml", true)]
    [InlineData("COPY . .", "pyproject.toml", true)]
    [InlineData("COPY . .", "package.json", true)]
    [InlineData("COPY . .", "app/page.html", false)]
    [InlineData("COPY app/ /opt/tool", "app/page.html", true)]
    [InlineData("COPY app/ /opt/tool", "app/deep/er/page.html", true)]
    [InlineData("COPY app/ /opt/tool", "app/deep/__pycache__/x.pyc", false)]
    [InlineData("COPY app/ /opt/tool", "app/site.log", false)]
    [InlineData("COPY app/ /opt/tool", ".git/HEAD", false)]
    [InlineData("COPY [\"app/\", \"/opt/tool\"]", "app/page.html", true)]
    [InlineData("COPY --chmod=0755 scripts/*.sh /usr/local/bin/", "scripts/install.sh", true)]
    [InlineData("COPY scripts/ ./scripts\nRUN sh scripts/install.sh && rm -r /tmp/x", "scripts/install.sh", true)]
    [InlineData("COPY scripts/ ./scripts\nRUN sh scripts/install.sh", "scripts/other.sh", false)]
    [InlineData("RUN --mount=type=bind,source=requirements.txt,target=/r.txt pip install -r /r.txt", "requirements.txt", true)]
    [InlineData("COPY --from=tools scripts/ /opt/tool", "scripts/other.sh", false)]
    [InlineData("RUN pip install -e ./app", "app/setup.cfg", true)]
    [InlineData("WORKDIR /opt\nCOPY app/ tool", "app/page.html", true)]
    [InlineData("ADD https://example.org/x.tar.gz /opt/", "app/page.html", false)]
    public void A_change_counts_if_the_image_would_be_another_one(string instructions, string file, bool counts)
    {
        _folder.Write("Dockerfile", $"FROM debian AS tools\nRUN true\nFROM debian\nWORKDIR /app\n{instructions}\n");
        foreach (var path in (string[])["requirements.txt", "pyproject.toml", "app/page.html", "app/setup.cfg", "scripts/install.sh", "scripts/other.sh", ".git/HEAD", file])
        {
            _folder.Write(path, "before");
        }

        var before = Digest();
        Assert.Equal(before, Digest());
        _folder.Write(file, "after");

        Assert.Equal(counts, Digest() != before);
    }

    [Fact]
    public void What_an_earlier_stage_copies_counts_wherever_it_goes()
    {
        _folder.Write("Dockerfile", "FROM node AS bundle\nWORKDIR /app\nCOPY app/ ./app\nFROM debian\nCOPY --from=bundle /app/dist /dist\n");
        _folder.Write("app/page.js", "before");
        var before = Digest();

        _folder.Write("app/page.js", "after");

        Assert.NotEqual(before, Digest());
    }

    [Fact]
    public void A_link_that_leads_round_in_a_circle_or_out_of_the_context_is_not_followed()
    {
        _folder.Write("Dockerfile", "FROM debian\nCOPY app/ /opt/tool\n");
        _folder.Write("app/page.html", "");
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "app", "circle"), _folder.Path);
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "app", "root"), "/");

        Assert.Equal(16, Digest().Length);
    }

    private string Digest() => BuildInputs.Digest(Path.Combine(_folder.Path, "Dockerfile"), _folder.Path, "/app");
}
