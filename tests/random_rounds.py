"""Random rounds with odd cases, scored by the service from files alone and recomputed by scores.py, number by number.

    python3 tests/random_rounds.py PHIEU [ROUNDS [BALLOTS [FIRST]]]      (3 rounds of 500 ballots, from round 0)

Round N is always the same. Exit code 1 if a number differs. Odd cases: a target that nobody rates, one with a single
answer, one about which nobody knows anything, targets that tie, a whole round of equal answers, criteria and a whole field
without points, 500 targets, scales of different length in one field, weights by response, void paper ballots. A group
without a weight, or with one of zero, is refused.
"""

import csv
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import scores

SCALES = {
    "S5": [("A", "100"), ("B", "75"), ("C", "50"), ("D", "25"), ("E", "0"), ("N", "")],
    "S4": [("A", "100"), ("B", "60"), ("C", "20"), ("D", "0"), ("N", "")],
    "S3": [("1", "100"), ("2", "33.3"), ("3", "0"), ("K", ""), ("N", "")],
    "S2": [("A", "100"), ("B", "0"), ("N", "")],
}
WEIGHTS = ["1", "0.5", "2.25", "0.333333333", "7"]
POINTS = ["0", "0.5", "1", "2", "3.3", "12.25"]


class Odd:
    """What is special about a round."""

    def __init__(self, number):
        self.random = random.Random(f"phieu round {number}")
        self.equal = number % 10 == 1
        self.targets = 500 if number % 10 == 2 else self.random.randint(12, 45)
        self.adjusted = number % 3 == 0
        self.one_group = number % 10 == 7
        self.number = number


def make(folder, odd, total):
    rng = odd.random
    names = [f"T{n:03}" for n in range(odd.targets)]
    # Of the third kind only its own people rate: its first two are the lonely ones.
    kinds = {name: ("so", "huyen", "doc")[min(n * 3 // odd.targets, 2)] for n, name in enumerate(names)}
    lonely = [name for name in names if kinds[name] == "doc"][:2]
    unknown, tied = names[1], names[2:4]
    divisions = {f"D{n}": sorted(rng.sample([t for t in names if kinds[t] == "so"], rng.randint(1, 3))) for n in range(9)}
    fields = [f"F{n}" for n in range(rng.randint(2, 5))]
    codes = [f"Q{n}" for n in range(rng.randint(6, 18))]
    field_of = {code: rng.choice(fields) for code in codes}
    field_of |= dict(zip(codes, fields))
    worth = {code: rng.choice(POINTS) for code in codes} | {codes[-1]: "0"}
    if odd.number % 4 == 0:
        worth |= {code: "0" for code in codes if field_of[code] == fields[0]}
    groups = [
        ("OWN", "online", ["so", "huyen", "doc"], '"own_unit"', '"roster"', [[t] for t in names]),
        ("MAP", "online", ["phong"], '"mapped"', '"roster"', list(divisions.values())),
        ("PAR", "online", ["xa"], '"parent"', '"roster"', [[t] for t in names if kinds[t] == "huyen"]),
        ("ALL", "paper", ["hoi"], '{ kinds = ["huyen"] }', "{ fixed = 40 }", [[t for t in names if kinds[t] == "huyen"]]),
        ("ONE", "paper", [], '{ one_per_ballot = ["so"] }', '{ per_target = 2, of = "so" }',
         [[t] for t in names if kinds[t] == "so"]),
    ]
    groups = groups[:1] if odd.one_group else groups
    asked = {group[0]: {code: rng.choice(list(SCALES)) for code in codes if rng.random() < 0.8} for group in groups}
    asked["OWN"] = {code: rng.choice(list(SCALES)) for code in codes}
    write_round(folder / "round", odd, names, kinds, divisions, fields, field_of, worth, groups, asked)

    # Two divisions may rate the same targets: then they are one.
    strata = {(group[0], "+".join(targets)): (group[0], group[1], targets) for group in groups for targets in group[5]}
    strata = [one for one in strata.values() if not set(one[2]) & set(lonely)]
    # A ballot about every target of a kind is long: there are few.
    shares = [rng.random() ** 3 * (0.2 if len(targets) > 5 else 1) for _, _, targets in strata]
    drawn = rng.choices(strata, shares, k=total - 1) + [("OWN", "online", [lonely[1]])]
    level = {name: rng.random() for name in names}
    rows, returned = [], {}
    for group, channel, targets in drawn:
        key = group, "+".join(targets)
        returned[key] = returned.get(key, 0) + 1
        ballot, nearly_empty = f"{rng.getrandbits(128):032x}", rng.random() < 0.05
        answers = []
        for target in targets:
            for code, scale in asked[group].items():
                options = [option for option, _ in SCALES[scale]]
                if target in lonely and answers:
                    continue
                if target in lonely or odd.equal or target in tied:
                    answer = options[0 if odd.equal else 1]
                elif target == unknown:
                    answer = "N"
                elif channel == "paper" and rng.random() < (0.7 if nearly_empty else 0.04):
                    answer = rng.choice(["#blank", "#several", "#illegible"])
                elif channel == "online" and rng.random() < 0.08:
                    continue
                else:
                    answer = options[min(int(rng.betavariate(1 + 3 * level[target], 2) * len(options)), len(options) - 1)]
                answers.append([target, code, answer])
        answers = answers or [[targets[0], next(iter(asked[group])), "N"]]
        rows.append((ballot, [[ballot, *key, *answer] for answer in answers]))
    with open(folder / "ballots.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["ballot_id", "respondent_code", "targets", "target", "item_code", "answer"])
        table.writerows(row for _, own in sorted(rows) for row in own)
    with open(folder / "turnout.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["respondent_code", "targets", "issued", "returned"])
        for group, _, targets in strata + [("OWN", "online", [name]) for name in lonely]:
            key = group, "+".join(targets)
            n = returned.pop(key, 0)
            if n or rng.random() < 0.5:
                # All came back, most, or few.
                table.writerow([*key, n + rng.choice([0, n // 10 + 1, 3 * n + 2]), n])
    assert not returned


def write_round(folder, odd, names, kinds, divisions, fields, field_of, worth, groups, asked):
    rng = odd.random
    (folder / "questionnaires").mkdir(parents=True)

    def table(name, *rows):
        text = "".join("\t".join(row) + "\n" for row in rows)
        (folder / f"{name}.tsv").write_text(text, encoding="utf-8")

    toml = [
        f'id = "ngau-nhien-{odd.number}"', 'title = "Đợt ngẫu nhiên"', 'legal_basis = "Không có"', "sample = true",
        "[organiser]", 'name = "Thử"', "[dates]", "opens = 2026-09-01T07:00:00+07:00",
        "closes = 2026-10-01T00:00:00+07:00", "keying_closes = 2026-10-02T00:00:00+07:00",
        "publishes = 2026-11-01T08:00:00+07:00",
    ]
    for kind in ("so", "huyen", "doc"):
        toml += ["[[target_kinds]]", f'code = "{kind}"', f'name = "{kind}"']
    for kind in ("so", "huyen", "doc", "phong", "xa", "hoi"):
        toml += ["[[unit_kinds]]", f'code = "{kind}"', f'name = "{kind}"']
    for field in fields:
        toml += ["[[fields]]", f'code = "{field}"', f'name = "{field}"']
    for at, (code, channel, sources, rates, quota, _) in enumerate(groups):
        weight = WEIGHTS[(odd.number + at) % len(WEIGHTS)]
        toml += ["[[groups]]", f'code = "{code}"', f'name = "{code}"', f'channel = "{channel}"', 'issue = "draw"']
        toml += [f"sources = {json.dumps(sources)}", f"rates = {rates}", f"quota = {quota}"]
        toml += [f'weight = "{weight}"']
    toml += ["[scoring]", f'void_below = "{rng.choice(["0.5", "0.333", "0.8"])}"']
    toml += [f"excluded_is_valid = {rng.choice(['true', 'false'])}", f"decimals = {rng.choice([1, 2, 2, 3])}"]
    toml += ["response_adjusted = true"] if odd.adjusted else []
    toml += ["[disclosure]", f"k = {rng.choice([3, 5, 10])}", f"distribution_n = {rng.choice([10, 20])}"]
    (folder / "round.toml").write_text("\n".join(toml) + "\n", encoding="utf-8")
    table("targets", ["target_code", "target_kind", "name"], *([name, kinds[name], f"Cơ quan {name}"] for name in names))
    units = [[name, "", kinds[name], f"Cơ quan {name}", name, ""] for name in names]
    units += [[f"P{n}", "", "phong", f"Phòng {n}", "", division] for n, division in enumerate(divisions)]
    units += [[f"X{name}", name, "xa", f"Xã {name}", "", ""] for name in names if kinds[name] == "huyen"]
    units += [["HOI", "", "hoi", "Hội", "", ""]]
    table("units", ["unit_code", "parent_code", "unit_kind", "name", "target_code", "division"], *units)
    table("mapping", ["division", "target_code"], *([d, target] for d, own in divisions.items() for target in own))
    options = ([scale, option, f"{scale} {option}", percent] for scale, own in SCALES.items() for option, percent in own)
    table("scales", ["scale", "option", "label", "percent"], *options)
    criteria = ([code, field_of[code], f"Tiêu chí {code}", "", worth[code]] for code in field_of)
    table("criteria", ["item_code", "field", "name", "index_ref", "max_points"], *criteria)
    for group, items in asked.items():
        form = [f'respondent_code = "{group}"', 'title = "Phiếu"', 'intro = "Kính mời."', "[[sections]]"]
        form += ['code = "1"', 'title = "Phần 1"']
        for code, scale in items.items():
            form += ["[[sections.items]]", f'code = "{code}"', f'question = "Câu hỏi {code}?"', f'scale = "{scale}"']
        (folder / "questionnaires" / f"{group.lower()}.toml").write_text("\n".join(form) + "\n", encoding="utf-8")


def score(phieu, folder):
    words = [phieu, "scores", "--from", folder / "ballots.csv", "--format", "json"]
    return subprocess.run(words, capture_output=True, text=True, encoding="utf-8")


def weightless_is_refused(phieu, folder):
    toml = folder / "round" / "round.toml"
    lines = toml.read_text(encoding="utf-8").split("\n")
    lines = [line for line in lines if not line.startswith("weight")]
    at = lines.index('quota = "roster"')
    for more, said in [([], "Add the key weight"), (['weight = "0"'], "Write a weight above 0")]:
        toml.write_text("\n".join(lines[:at] + more + lines[at:]), encoding="utf-8")
        done = score(phieu, folder)
        assert done.returncode == 1 and said in done.stderr, done.stderr


def main(phieu, rounds=3, ballots=500, first=0):
    failed = 0
    for number in range(first, first + rounds):
        folder = Path(tempfile.mkdtemp(prefix="phieu-round-"))
        make(folder, Odd(number), ballots)
        done = score(phieu, folder)
        if done.returncode != 0:
            sys.exit(f"round {number} in {folder}: {done.stderr}")
        (folder / "scores.json").write_text(done.stdout, encoding="utf-8")
        print(f"round {number}: ", end="", flush=True)
        differs = scores.main(folder / "round", folder / "ballots.csv", folder / "scores.json", folder / "turnout.csv")
        failed += differs
        if number == first:
            weightless_is_refused(phieu, folder)
        if not differs:
            shutil.rmtree(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
