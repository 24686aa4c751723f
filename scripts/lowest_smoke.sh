#!/usr/bin/env bash
# The lowest versions that pyproject.toml allows, on the lowest Python, really work: a dry fit and a sampled one, stored, read, reported, and
# a table in every form. LOWEST_PYTHON names a Python; without one it is 3.12 where uv or pyenv has it, else the one at hand.
set -euo pipefail
cd "$(dirname "$0")/.." # uv is asked here alone
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
lowest() {
  uv python find --no-python-downloads 3.12 2>/dev/null && return
  local one
  for one in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12.*/bin/python; do [ -x "$one" ] && echo "$one" && return; done
  uv run python -c "import sys; print(sys._base_executable)"
}
python="${LOWEST_PYTHON:-$(lowest)}"
uv build --quiet --wheel --out-dir "$work/dist" .
uv venv --quiet --python "$python" "$work/env"
uv pip install --no-config --quiet --python "$work/env/bin/python" --resolution lowest-direct -r pyproject.toml
uv pip install --no-config --quiet --python "$work/env/bin/python" --no-deps "$work"/dist/*.whl
cp scripts/lowest_smoke.py "$work/"
cd "$work"
PYTHONWARNINGS=default "$work/env/bin/python" lowest_smoke.py
