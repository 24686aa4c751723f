#!/usr/bin/env bash
# An installed wheel works in an empty folder: the tutorial's files are made and its commands typed. Fits are dry, so that nothing is
# compiled; what a dry fit says is withheld, and its commands end with 1.
set -euo pipefail
cd "$(dirname "$0")/.." # uv is asked here alone: elsewhere another Python may be chosen, one without uv
tutorial="$PWD/docs/tutorial.md"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
uv build --quiet --wheel --out-dir "$work/dist" .
uv venv --quiet --python "$(uv run python -c "import sys; print(sys._base_executable)")" "$work/env"
uv pip install --quiet --python "$work/env" "$work"/dist/*.whl
mkdir "$work/empty"
cd "$work/empty"

# the first block of a language in the tutorial
block() { awk -v fence="\`\`\`$1" '$0 == fence {inside = 1; next} inside && /^```/ {exit} inside' "$tutorial"; }
# a command that must end with the given code
ends() {
  local expected="$1" status=0
  shift
  "../env/bin/$@" >out.txt 2>err.txt || status=$?
  if [ "$status" -ne "$expected" ]; then
    echo "ended with $status, not $expected: $*" >&2
    cat out.txt err.txt >&2
    exit 1
  fi
}

block python >clinic.py
block toml >clinic.toml
ends 0 python clinic.py
ends 0 bayesmyo --version
ends 0 bayesmyo doctor
ends 0 bayesmyo studies
ends 0 bayesmyo init example
ends 0 bayesmyo validate clinic.toml clinic.xlsx
grep -q "set aside; 16 patients" out.txt
ends 0 bayesmyo check clinic.toml --prior
ends 1 bayesmyo fit clinic.toml clinic.xlsx -o clinic.nc --engine mock --draws 100
test -s clinic.nc && grep -q "engine mock" err.txt
ends 1 bayesmyo check clinic.nc
ends 1 bayesmyo estimate clinic.nc --decisions
ends 1 bayesmyo estimate clinic.nc --json
grep -q '"schema_version": 1' out.txt
ends 1 bayesmyo influence clinic.nc --quick
ends 1 bayesmyo report clinic.nc -o clinic.html
grep -q "</html>" clinic.html
ends 0 bayesmyo verify clinic.nc --share clinic-shared.nc
ends 0 bayesmyo simulate ivig -o cohort.csv
ends 0 python -c "import bayesmyo; print(bayesmyo.estimate(bayesmyo.load_fit('clinic.nc')))"
echo "the installed wheel works in an empty folder"
