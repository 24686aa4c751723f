"""Write data/simulated/NAME.csv and NAME.truth.json: one cohort of the first scenario of a bundled study.

uv run python scripts/simulate_data.py
"""

import json
from pathlib import Path

from bayesmyo.cohort import to_csv
from bayesmyo.model import Simulated, simulate_scenario
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.study import Study, find_study
from bayesmyo.study.scenarios import stated_values

FOLDER = Path(__file__).parents[1] / "data" / "simulated"
SEEDS = {
    "ivig": 2021,
    "ivig-joint": 2009,
    "ivig-separate": 2022,
    "ivig-paper": 2023,
    "safety": 2024,
    "safety-events": 2025,
}


def truth_document(name: str, study: Study, simulated: Simulated, scenario: str, seed: int) -> str:
    """What only a simulation knows: the scenario's values, the estimands' true values, each patient's effects and exit."""
    prediction = TruthPrediction(study, simulated.truth)
    patients = {
        patient: {
            "follow_up": round(float(simulated.follow_up[i]), 3),
            "lost": bool(simulated.lost[i]),
            "effects": {
                outcome: {effect: round(float(values[i]), 4) for effect, values in o.effects.items()}
                for outcome, o in simulated.truth.outcomes.items()
            },
        }
        for i, patient in enumerate(simulated.cohort.patients)
    }
    document = {
        "study": name,
        "scenario": scenario,
        "seed": seed,
        "parameters": stated_values(study.scenarios, scenario),
        "estimands": {
            estimand: round(float(e.of(prediction)), 6)
            for estimand, e in study.estimands.items()
            if e.predicts == "expected value" and e.population != "new patient"
        },
        "patients": patients,
    }
    return json.dumps(document, indent=1) + "\n"


def files() -> dict[str, str]:
    """File name -> text, for every study in SEEDS."""
    found = {}
    for name, seed in SEEDS.items():
        study = find_study(name)
        scenario = next(iter(study.scenarios))
        simulated = simulate_scenario(study, scenario, seed)
        found[f"{name}.csv"] = to_csv(study, simulated.cohort)
        found[f"{name}.truth.json"] = truth_document(name, study, simulated, scenario, seed)
    return found


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text)
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
