using UvlhubAspire.AppHost.Site;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Commands;

public sealed class PytestOutputTests
{
    [Theory]
    [InlineData("============================= 14 passed in 20.06s ==============================", "14 passed in 20.06s")]
    [InlineData("========================= 1 failed, 2 passed in 11.93s =========================", "1 failed, 2 passed in 11.93s")]
    [InlineData("============ 3 passed, 1 deselected, 2 warnings in 75.20s (0:01:15) ============", "3 passed, 1 deselected, 2 warnings in 75.20s (0:01:15)")]
    [InlineData("============================ no tests ran in 0.01s =============================", "no tests ran in 0.01s")]
    [InlineData("=============================== 1 error in 0.40s ===============================", "1 error in 0.40s")]
    public void The_counts_are_those_of_the_last_line(string line, string counts) =>
        Assert.Equal(counts, PytestOutput.Counts(["============ test session starts ============", "a.py::test PASSED", line]));

    [Fact]
    public void There_are_no_counts_where_pytest_did_not_get_to_its_end() =>
        Assert.Null(
            PytestOutput.Counts(["============================= test session starts ==============================", "collected 3 items"]));

    [Fact]
    public void Every_failure_is_one_line_with_its_reason() =>
        Assert.Equal(
            ["FAILED a.py::test - AssertionError: no", "ERROR b.py"],
            PytestOutput.Failures(["a.py::test FAILED [100%]", "FAILED a.py::test - AssertionError: no", "ERROR b.py"]));
}
