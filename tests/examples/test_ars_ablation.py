import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "examples" / "ars_ablation.py"


def test_the_study_ends_in_a_report(tmp_path):
    small = ["--env", "CartPole-v1", "--seeds", "2", "--epochs", "1", "--data_dir", str(tmp_path / "data")]
    done = subprocess.run([sys.executable, SCRIPT, *small], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "16 of 16 runs are done." in done.stdout
    assert "2 of 2 seeds" in done.stdout
    assert "within seed noise" in (tmp_path / "data" / "report.html").read_text(encoding="utf-8")
