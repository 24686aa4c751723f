#!/usr/bin/env bash
# An installed wheel works in an empty folder: the bundled studies are found, and a dry run goes from study to stored fit.
set -euo pipefail
cd "$(dirname "$0")/.." # uv is asked here alone: elsewhere another Python may be chosen, one without uv
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
uv build --quiet --wheel --out-dir "$work/dist" .
uv venv --quiet --python "$(uv run python -c "import sys; print(sys._base_executable)")" "$work/env"
uv pip install --quiet --python "$work/env" "$work"/dist/*.whl
cd "$work"
env/bin/bayesmyo studies
env/bin/bayesmyo simulate ivig -o cohort.csv
status=0
env/bin/bayesmyo fit ivig cohort.csv -o fit.nc --engine mock --draws 100 >out.txt 2>err.txt || status=$?
test "$status" -eq 1 && test -s fit.nc && grep -q "engine mock" err.txt
env/bin/bayesmyo estimate fit.nc --json >estimates.json 2>err.txt || test $? -eq 1
grep -q '"schema_version": 1' estimates.json
echo "the installed wheel works in an empty folder"
