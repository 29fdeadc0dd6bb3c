"""Tally and scores of many opened ballots, beside DuckDB and Polars making the same means of the same file.

    python3 -m venv /tmp/engines && /tmp/engines/bin/pip install duckdb polars
    /tmp/engines/bin/python tests/engines.py target/release/phieu [BALLOTS [RUNS]]      (1000000 ballots, 5 runs)

Each ballot is of one of three groups about one of 20 targets and has 45 answers. All three read the same wide CSV, in turns,
each in a process of its own, and the best of the runs counts; the two are also given the same table as Parquet. `phieu`
does more than they: exact fractions, ranks, intervals, what is hidden; the whole process is timed, of the others the
query alone. Every mean and n that the scores show is compared with theirs.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ITEMS = [f"Q{n}" for n in range(1, 46)]
TARGETS = [f"T{n:02}" for n in range(20)]
GROUPS = ["G1", "G2", "G3"]
WORTH = {"A": 100, "B": 75, "C": 50, "D": 25, "E": 0}


def make(folder, ballots):
    import polars

    rng = random.Random(8)
    (folder / "round" / "questionnaires").mkdir(parents=True)
    toml = """id = "trieu-phieu"
title = "Một triệu phiếu"
legal_basis = "Không có"
[organiser]
name = "Thử"
[dates]
opens = 2026-09-01T07:00:00+07:00
closes = 2026-10-01T00:00:00+07:00
keying_closes = 2026-10-02T00:00:00+07:00
publishes = 2026-11-01T08:00:00+07:00
[[target_kinds]]
code = "so"
name = "Sở"
[[fields]]
code = "1"
name = "Một"
[scoring]
void_below = "0.5"
excluded_is_valid = true
decimals = 2
[disclosure]
k = 10
distribution_n = 20
"""
    for group in GROUPS:
        toml += f'[[unit_kinds]]\ncode = "{group}"\nname = "{group}"\n[[groups]]\ncode = "{group}"\nname = "{group}"\n'
        toml += f'channel = "online"\nissue = "draw"\nsources = ["{group}"]\nrates = "own_unit"\nquota = "roster"\nweight = "1"\n'
        form = f'respondent_code = "{group}"\ntitle = "Phiếu"\nintro = "Mời."\n[[sections]]\ncode = "1"\ntitle = "Một"\n'
        form += "".join(f'[[sections.items]]\ncode = "{q}"\nquestion = "{q}?"\nscale = "S"\n' for q in ITEMS)
        (folder / "round" / "questionnaires" / f"{group.lower()}.toml").write_text(form)

    def table(name, rows):
        (folder / "round" / f"{name}.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))

    (folder / "round" / "round.toml").write_text(toml)
    table("targets", [["target_code", "target_kind", "name"]] + [[t, "so", t] for t in TARGETS])
    units = [[f"{g}{t}", "", g, f"{g} {t}", t] for g in GROUPS for t in TARGETS]
    table("units", [["unit_code", "parent_code", "unit_kind", "name", "target_code"]] + units)
    options = [["S", option, option, str(percent)] for option, percent in WORTH.items()] + [["S", "N", "N", ""]]
    table("scales", [["scale", "option", "label", "percent"]] + options)
    criteria = [[q, "1", q, "", "1"] for q in ITEMS]
    table("criteria", [["item_code", "field", "name", "index_ref", "max_points"]] + criteria)

    group, target = (rng.choices(names, k=ballots) for names in (GROUPS, TARGETS))
    columns = {
        "ballot_id": sorted(f"{rng.getrandbits(128):032x}" for _ in range(ballots)),
        "respondent_code": group,
        "targets": target,
        "target": target,
        "group_weight": ["1"] * ballots,
        "void": [""] * ballots,
    }
    for place, item in enumerate(ITEMS):
        columns[item] = rng.choices(["A", "B", "C", "D", "E", "N", ""], [20 + place, 30, 20, 10, 5, 8, 2], k=ballots)
    frame = polars.DataFrame(columns)
    frame.write_csv(folder / "ballots.csv")
    frame.write_parquet(folder / "ballots.parquet")
    counts = {}
    for key in zip(group, target):
        counts[key] = counts.get(key, 0) + 1
    rows = [f"{g},{t},{n * 2},{n}" for (g, t), n in sorted(counts.items())]
    (folder / "turnout.csv").write_text("\n".join(["respondent_code,targets,issued,returned", *rows]) + "\n")


def duckdb_means(path):
    import duckdb

    worth = " ".join(f"WHEN '{option}' THEN {percent}" for option, percent in WORTH.items())
    means = ", ".join(f'avg(CASE "{q}" {worth} END), count(CASE "{q}" {worth} END)' for q in ITEMS)
    start = time.perf_counter()
    rows = duckdb.sql(f"SELECT respondent_code, target, {means} FROM '{path}' GROUP BY 1, 2").fetchall()
    return time.perf_counter() - start, {(row[0], row[1]): row[2:] for row in rows}


def polars_means(path):
    import polars

    start = time.perf_counter()
    scan = polars.scan_csv if path.endswith(".csv") else polars.scan_parquet
    worth = [
        polars.col(q).replace_strict(WORTH, default=None, return_dtype=polars.Float64).alias(q) for q in ITEMS
    ]
    frame = scan(path).select("respondent_code", "target", *worth).group_by("respondent_code", "target")
    made = [made for q in ITEMS for made in (polars.col(q).mean(), polars.col(q).count().alias(f"n{q}"))]
    rows = frame.agg(made).collect().rows()
    return time.perf_counter() - start, {(row[0], row[1]): row[2:] for row in rows}


def phieu_means(phieu, folder):
    start = time.perf_counter()
    words = [phieu, "scores", "--from", folder / "ballots.csv", "--format", "json"]
    done = subprocess.run(words, capture_output=True, check=True)
    seconds = time.perf_counter() - start
    means = {}
    for target in json.loads(done.stdout)["targets"]:
        for item in target["items"]:
            for cell in item["groups"]:
                means.setdefault((cell["respondent_code"], target["target"]), []).extend([cell["mean"], cell["n"]])
    return seconds, means


def alone(engine, path):
    """One engine in a process of its own: seconds, MiB at most, means."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        seconds, means = engine(path)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak = max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) if engine.__name__ == "ours" else peak
        with os.fdopen(write, "w") as out:
            json.dump([seconds, peak / 1024, [[*key, *values] for key, values in means.items()]], out)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        seconds, peak, rows = json.load(told)
    os.waitpid(child, 0)
    return seconds, peak, {(row[0], row[1]): row[2:] for row in rows}


def main(phieu, ballots=1_000_000, runs=5):
    with tempfile.TemporaryDirectory(prefix="phieu-engines-") as folder:
        folder = Path(folder)
        # In a process of its own, so that what it took is nobody's peak.
        if os.fork() == 0:
            make(folder, ballots)
            os._exit(0)
        os.wait()

        def ours(_path):
            return phieu_means(phieu, folder)

        table, parquet = str(folder / "ballots.csv"), str(folder / "ballots.parquet")
        engines = [("phieu, CSV", ours, table), ("DuckDB, CSV", duckdb_means, table), ("Polars, CSV", polars_means, table)]
        engines += [("DuckDB, Parquet", duckdb_means, parquet), ("Polars, Parquet", polars_means, parquet)]
        best, peaks, means = {}, {}, {}
        for _ in range(runs):
            for name, engine, path in engines:
                seconds, peak, means[name] = alone(engine, path)
                best[name] = min(seconds, best.get(name, seconds))
                peaks[name] = max(peak, peaks.get(name, 0))
        print(f"{ballots} ballots of {len(ITEMS)} answers, {os.cpu_count()} cores, best of {runs}; the CSV has "
              f"{os.path.getsize(table) / 2**20:.0f} MiB")
        print(f"{'':<18}{'seconds':>9}{'MiB':>8}")
        for name in best:
            print(f"{name:<18}{best[name]:>9.2f}{peaks[name]:>8.0f}")
        compared = 0
        for key, own in means["phieu, CSV"].items():
            for name, others in means.items():
                for mean, n, other_mean, other_n in zip(own[::2], own[1::2], others[key][::2], others[key][1::2]):
                    assert n == other_n and abs(float(mean) - float(other_mean)) <= 0.005 + 1e-9, (key, name, mean, other_mean)
                    compared += 1
        fastest = min(best["DuckDB, CSV"], best["Polars, CSV"])
        ratio = best["phieu, CSV"] / fastest
        print(f"{compared} means compared; phieu takes {ratio:.2f} times the fastest on the same file")
        return 0 if ratio <= 2 and peaks["phieu, CSV"] <= 1024 else 1


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
