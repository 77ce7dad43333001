#!/usr/bin/env bash
# How many faults planted into the undoing of a run (UvlhubRunner/Migration/Rollback.cs) do the tests notice? It decides with
# a database before it, so Stryker, which wants hundreds of quick runs, cannot plant them: bench/mutation.sh has the rest.
# Each fault is put into a copy of the repository, whose tests of whole runs must fail: bench/undo-mutation.sh.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

readonly FILE=UvlhubRunner/Migration/Rollback.cs
readonly PROJECT=tests/UvlhubRunner.Tests
readonly TESTS=(InterruptionTests ServerTests UpgradeTests VerbTests StateTests SeedingTests FirstKillTests KilledResetTests KilledRestoreTests)
readonly RESULT="$ROOT/bench/results/undo-mutation.txt"

# What it does instead: the sed expression that plants it.
readonly PLANTS=(
    "undoes nothing of any run:s/run.Undo == RunUndo.Nothing/true/"
    "undoes a run that changed nothing:s/run.Undo == RunUndo.Nothing/false/"
    "leaves a killed run's Flask at work:/EndLeftoversAsync/d"
    "leaves other connections open:s/await database.EndOtherConnectionsAsync(root, cancellationToken) is > 0/0 is > 0/"
    "takes whom it has thrown out for nobody:s/hadVisitors = true/hadVisitors = false/"
    "empties instead of restoring:s/run.Undo == RunUndo.Restore/false/"
    "takes a missing snapshot for nothing to do:/var snapshot = snapshots.Find/i if (snapshots.Find(run.Snapshot!) is null) return string.Empty;"
    "takes the database for unchanged:s/if (!await snapshots.IsPartlyRestoredAsync(cancellationToken) \&\& .*/if (snapshot is not null)/"
    "takes a half restored database for unchanged:s/!await snapshots.IsPartlyRestoredAsync(cancellationToken) \&\& //"
    "never compares:s/if (!await snapshots.IsPartlyRestoredAsync(cancellationToken) \&\& .*/if (snapshot is null)/"
    "does not restore:/await snapshots.RestoreAsync(snapshot/d"
    "does not empty:/await database.EmptyAsync(root/d"
    "keeps no visitor's rows before it restores:s/if (hadVisitors)/if (hadVisitors \&\& run is null)/"
    "dumps a half restored database:/A restore that was cut off/,/^        }/d"
    "dumps where there is no row:s/if (await database.HasRowsAsync(.*/if (root is not null)/"
)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -C "$ROOT" ls-files -z --cached --others --exclude-standard | (cd "$ROOT" && xargs -0 cp --parents --target-directory "$work")

classes=()
for class in "${TESTS[@]}"; do
    classes+=(-class "*.$class")
done

# The migrator without machine code, which takes a minute each time; what it does is the same.
notices() {
    (cd "$work" && timeout 300 dotnet build "$PROJECT" --nologo -v quiet -p:PublishAot=false -p:RunAnalyzers=false -p:TreatWarningsAsErrors=false) >"$work/build.log" 2>&1 ||
        { cat "$work/build.log" >&2; exit 1; }
    ! timeout 600 "$work/$PROJECT/bin/Debug/net10.0/UvlhubRunner.Tests" -noColor -noLogo -stopOnFail "${classes[@]}" >"$work/tests.log" 2>&1
}

! notices || { grep -A 20 FAIL "$work/tests.log" >&2; echo "the tests fail without a planted fault" >&2; exit 1; }
noticed=0 report=
for plant in "${PLANTS[@]}"; do
    cp "$ROOT/$FILE" "$work/$FILE"
    sed -i "${plant#*:}" "$work/$FILE"
    ! cmp -s "$ROOT/$FILE" "$work/$FILE" || { echo "planted nothing: ${plant%%:*}" >&2; exit 1; }
    if notices; then
        noticed=$((noticed + 1))
        by=$(sed -n 's/^ *UvlhubAspire.*Tests\.\([A-Za-z]*\)\.\(.*\) \[FAIL\]$/\1.\2/p' "$work/tests.log" | head -n 1)
        report+="noticed      ${plant%%:*}"$'\n'"             by $by"$'\n'
    else
        report+="not noticed  ${plant%%:*}"$'\n'
    fi
    printf '%s' "$report" | tail -n 2 >&2
done
printf 'Faults planted into the undoing of a run, %s (bench/undo-mutation.sh): %s of %s noticed\n\n%s' \
    "$(date -u +%F)" "$noticed" "${#PLANTS[@]}" "$report" >"$RESULT"
