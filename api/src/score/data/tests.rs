//! What is written is read back to the same scores, and what we did not write is refused with its place.

use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use survey_forms::answers::{Answer, Answers, Ballot, Mark, Stratum};
use survey_forms::questionnaire::ItemKind;
use survey_forms::round::Channel;
use survey_forms::scoring::{Tally, Turnout as Count, Turnouts};
use survey_forms::{Round, RoundFiles, every_kind, quang_nam_2023};

use super::*;
use crate::score::export;

/// Numbers that look random and are always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// Ballots of every kind of paper of a round, by their ids; some of paper void, some online without any answer.
fn ballots(round: &Round, each: usize) -> Vec<([u8; 16], Ballot)> {
    let mut dice = Dice(7);
    let mut all = Vec::new();
    for assignment in round.assignments() {
        for _ in 0..each {
            let stratum = assignment.stratum();
            let form = round.form(&stratum.respondent_code, &stratum.targets).unwrap();
            let channel = form.channel;
            let (nearly_empty, empty) = (dice.below(5) == 0, dice.below(20) == 0);
            let mut answers = Answers::new();
            for target in &stratum.targets {
                for item in form.questionnaire.items() {
                    if channel == Channel::Online && (empty || dice.below(6) == 0) {
                        continue;
                    }
                    let options = item.options(&round.scales, &round.choices);
                    let any = |dice: &mut Dice| options[dice.below(options.len())].code.to_owned();
                    let drawn = dice.below(if nearly_empty { 9 } else { 20 });
                    let mark = channel == Channel::Paper && (drawn == 0) != nearly_empty;
                    let answer = match &item.kind {
                        _ if mark => Answer::Mark(Mark::ALL[dice.below(3)]),
                        ItemKind::Scale { .. } | ItemKind::Single { .. } => Answer::Choice(any(&mut dice)),
                        ItemKind::Multiple { .. } => Answer::Choices(vec![any(&mut dice)]),
                        ItemKind::Number { .. } => Answer::Number((1 + dice.below(9)).to_string()),
                        ItemKind::Text { .. } if channel == Channel::Online => continue,
                        ItemKind::Text { .. } => Answer::Mark(Mark::Blank),
                    };
                    answers.insert(target, &item.code, answer);
                }
            }
            form.prune(&mut answers);
            if channel == Channel::Paper {
                for (target, item) in form.complete(&answers).missing.clone() {
                    answers.insert(&target, &item, Answer::Mark(Mark::Blank));
                }
            }
            let questionnaire = form.questionnaire.hash.clone();
            let mut id = [0_u8; 16];
            id.iter_mut().for_each(|byte| *byte = u8::try_from(dice.below(256)).unwrap());
            all.push((id, Ballot { round: round.id.clone(), questionnaire, stratum, answers }));
        }
    }
    all.sort_by_key(|(id, _)| *id);
    all
}

fn turnouts(ballots: &[([u8; 16], Ballot)]) -> Turnouts {
    let mut turnout = Turnouts::new();
    for (_, ballot) in ballots {
        let Stratum { respondent_code, targets } = &ballot.stratum;
        let of: &mut Count = turnout.entry((respondent_code.clone(), targets.join("+"))).or_default();
        of.issued += 2;
        of.returned += 1;
    }
    turnout
}

struct Folder(tempfile::TempDir);

impl Folder {
    /// The ballots in every format that is read back.
    fn written(round: &Round, ballots: &[([u8; 16], Ballot)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let file = |name: &str| File::create(folder.path(name)).unwrap();
        let mut lines = Lines::new(file("ballots.jsonl"));
        let mut columns = Columns::of(round);
        let mut wide = Wide::new(file("wide.csv"), &columns).unwrap();
        let mut long = export::long(file("long.csv")).unwrap();
        for (id, ballot) in ballots {
            lines.write(id, ballot).unwrap();
            columns.rows(id, ballot, |row| wide.write(row)).unwrap();
            export::write_ballot(&mut long, round, id, ballot).unwrap();
        }
        lines.end().unwrap();
        wide.end().unwrap();
        long.flush().unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }
}

fn refused(round: &Round, path: &Path) -> String {
    read(round, path).err().expect("it was read").to_string()
}

fn rounds() -> [Round; 2] {
    let read = |files: &RoundFiles| Round::from_files(files).unwrap();
    [read(&quang_nam_2023()), read(&every_kind())]
}

#[test]
fn every_format_gives_the_scores_of_the_ballots() {
    for (round, each) in rounds().iter().zip([1, 20]) {
        let ballots = ballots(round, each);
        let mut tally = Tally::new(round);
        for (_, ballot) in &ballots {
            tally.add(ballot);
        }
        let void: u64 = round.groups.iter().flat_map(|group| tally.void(&group.code)).map(|(_, count)| count).sum();
        assert!(void > 0, "some do not count");
        let beside = || Again { turnout: turnouts(&ballots), published: Vec::new() };
        let wanted = again(round, tally, &beside()).unwrap().canonical();
        let folder = Folder::written(round, &ballots);
        for name in ["ballots.jsonl", "wide.csv", "long.csv"] {
            let read = read(round, &folder.path(name)).unwrap();
            assert_eq!(read.ballots, u64::try_from(ballots.len()).unwrap(), "{name}");
            assert_eq!(again(round, read.tally, &beside()).unwrap().canonical(), wanted, "{name}");
        }
        // As a spreadsheet of this country saves it.
        for name in ["wide.csv", "long.csv"] {
            let saved = folder.put("saved.csv", &folder.text(name).replace(',', ";").replace('\n', "\r\n"));
            let read = read(round, &saved).unwrap();
            assert_eq!(again(round, read.tally, &beside()).unwrap().canonical(), wanted, "{name}");
        }
        let mut one_less = folder.text("wide.csv");
        one_less.truncate(one_less.trim_end().rfind('\n').unwrap() + 1);
        match read(round, &folder.put("less.csv", &one_less)) {
            Ok(read) => assert_ne!(again(round, read.tally, &beside()).unwrap().canonical(), wanted),
            Err(_one_of_several_targets) => {}
        }
    }
}

#[test]
fn what_we_did_not_write_is_refused_with_its_place() {
    let [round, _] = rounds();
    let all = ballots(&round, 1);
    let one: Vec<_> = all.into_iter().filter(|(_, ballot)| ballot.stratum.respondent_code == "CC-CT").take(3).collect();
    let folder = Folder::written(&round, &one);
    let wide = folder.text("wide.csv");
    let lines: Vec<&str> = wide.lines().collect();
    let with = |line: usize, change: &dyn Fn(&str) -> String| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        lines[line] = change(&lines[line]);
        folder.put("wrong.csv", &(lines.join("\n") + "\n"))
    };
    let said = refused(&round, &with(2, &|line| line.replace("CC-CT", "CC-XX")));
    assert!(said.starts_with("line 3, column \"targets\""), "{said}");
    let said = refused(&round, &with(3, &|line| format!("{},Z", line.rsplit_once(',').unwrap().0)));
    assert!(said.starts_with("line 4, column \"") && !said.contains('Z'), "{said}");
    let said = refused(&round, &with(0, &|line| line.replace("X1.1", "Y1.1")));
    assert!(said.contains("column \"Y1.1\""), "{said}");
    let said = refused(&round, &with(0, &|line| line.replace("targets,", "target_s,")));
    assert!(said.contains("column"), "{said}");
    let said = refused(&round, &with(2, &|line| line.replace(",,", ",")));
    assert!(said.starts_with("line 3") || said.starts_with("line 2"), "{said}");
    let said = refused(&round, &with(3, &|_| lines[1].to_owned()));
    assert!(said.contains("order of ballot_id"), "{said}");
    let long = folder.text("long.csv");
    let said = refused(&round, &folder.put("wrong.csv", &long.replacen("X1.1", "X9.9", 1)));
    assert!(said.starts_with("line ") && said.contains("item_code"), "{said}");
    let json = folder.text("ballots.jsonl");
    let said = refused(&round, &folder.put("wrong.jsonl", &json.replacen("\"X1.1\":\"", "\"X1.1\":\"Z", 1)));
    assert!(said.starts_with("line ") && said.contains("X1.1") && !said.contains('Z'), "{said}");
    for (name, text) in [("a", ""), ("b", "PK\u{3}"), ("c", "$FL2"), ("d", "a,b\n1,2\n"), ("e", "{\"a\":1}\n")] {
        refused(&round, &folder.put(name, text));
    }
}

#[test]
fn what_stands_beside_the_ballots_is_read_strictly() {
    let mut out = Vec::new();
    let [round, _] = rounds();
    let counts = turnouts(&ballots(&round, 1));
    turnout(&mut out, &counts).unwrap();
    assert_eq!(Turnout::read(out.as_slice()).unwrap(), counts);
    for (text, line) in [
        ("a,b\n", "line 1"),
        ("respondent_code,targets,issued,returned\nCC-CT,SNV,x,1\n", "line 2"),
        ("respondent_code,targets,issued,returned\nCC-CT,SNV,1,1\nCC-CT,SNV,1\n", "line 3"),
    ] {
        let said = Turnout::read(text.as_bytes()).unwrap_err().to_string();
        assert!(said.starts_with(line), "{said}");
    }
    assert!(Published::read(b"{}").is_err());
    let document = again(&round, Tally::new(&round), &Again::default()).unwrap();
    let released = |release: u32, hash: &str| {
        let mut document = document.clone();
        document.release = release;
        hash.clone_into(&mut document.rules_hash);
        vec![Published::read(&document.canonical()).unwrap()]
    };
    let again = |published| again(&round, Tally::new(&round), &Again { published, ..Again::default() });
    assert!(matches!(again(released(2, &round.hash)), Err(AgainError::Releases)));
    assert!(matches!(again(released(1, "0")), Err(AgainError::OtherRules)));
    assert_eq!(again(released(1, &round.hash)).unwrap(), document);
}

#[test]
fn the_codebook_has_every_column_every_code_and_what_is_missing() {
    for round in rounds() {
        let text = codebook(&round).unwrap();
        let columns = Columns::of(&round);
        for name in columns.names() {
            assert_eq!(text.matches(&format!(" name=\"{name}\" ")).count(), 1, "{name}");
        }
        assert_eq!(text.matches("<var ID=\"V").count(), columns.names().count());
        assert_eq!(text.matches("wgt=\"wgt\"").count(), 1);
        for (tag, closing) in [("<catgry ", "</catgry>"), ("<var ", "</var>"), ("<qstn ", "</qstn>")] {
            assert_eq!(text.matches(tag).count(), text.matches(closing).count());
        }
        assert!(text.contains("<item VALUE=\"N\"/>") && text.contains("<item VALUE=\"#illegible\"/>"));
        assert!(text.contains("<txt>100 %</txt>"));
    }
    let [_, round] = rounds();
    let text = codebook(&round).unwrap();
    assert!(text.contains("<range UNITS=\"REAL\""), "bounds of a number");
    assert!(text.contains("chỉ hỏi khi Q0 là CO"), "who is asked");
    assert!(!text.contains(" name=\"Q3\" "), "free text is no column");
}

/// The numbers of an SPSS file, row by row, read as the format's description says.
fn numbers(file: &[u8], width: usize) -> Vec<Vec<Option<f64>>> {
    let end = file.windows(8).position(|bytes| bytes == [231, 3, 0, 0, 0, 0, 0, 0]).unwrap() + 8;
    let mut data = &file[end..];
    let (mut cells, mut done) = (Vec::new(), false);
    while !done {
        let (codes, mut rest) = data.split_at(8);
        for code in codes {
            match code {
                0 => {}
                252 => done = true,
                253 => {
                    let (literal, more) = rest.split_at(8);
                    cells.push(Some(f64::from_le_bytes(literal.try_into().unwrap())));
                    rest = more;
                }
                254 | 255 => cells.push(None),
                code => cells.push(Some(f64::from(*code) - 100.0)),
            }
        }
        data = rest;
    }
    assert!(data.is_empty());
    cells.chunks(width).map(<[_]>::to_vec).collect()
}

#[test]
fn an_spss_file_has_the_place_of_each_option_and_negatives_for_what_is_missing() {
    let [round, _] = rounds();
    let all = ballots(&round, 2);
    let mut columns = Columns::of(&round);
    let mut file = Cursor::new(Vec::new());
    let mut sav = Sav::new(&mut file, &columns).unwrap();
    let mut wanted: Vec<Vec<Option<f64>>> = Vec::new();
    for (id, ballot) in &all {
        columns
            .rows(id, ballot, |row| {
                let form = round.questionnaire(row.group).unwrap();
                let code = |(answer, item): (&Option<&Answer>, &str)| {
                    form.item(item)?;
                    Some(match answer {
                        None => -9.0,
                        Some(Answer::Mark(Mark::Blank)) => -1.0,
                        Some(Answer::Mark(Mark::Several)) => -2.0,
                        Some(Answer::Mark(Mark::Illegible)) => -3.0,
                        // The sixth, "no information".
                        Some(Answer::Choice(option)) if option == "N" => -16.0,
                        Some(Answer::Choice(option)) => f64::from(option.as_bytes()[0] - b'A' + 1),
                        _ => panic!("the plan asks nothing else"),
                    })
                };
                let items = Columns::of(&round).names().skip(KEYS.len()).map(str::to_owned).collect::<Vec<_>>();
                wanted.push(row.answers.iter().zip(items.iter().map(String::as_str)).map(code).collect());
                sav.write(row)
            })
            .unwrap();
    }
    sav.end().unwrap();
    let file = file.into_inner();
    let int = |at: usize| i32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!((&file[..4], int(64), int(72)), (&b"$FL2"[..], 2, 1));
    assert_eq!(usize::try_from(int(80)).unwrap(), wanted.len(), "rows");
    let width = usize::try_from(int(68)).unwrap();
    let rows = numbers(&file, width);
    assert_eq!(rows.len(), wanted.len());
    for (row, wanted) in rows.iter().zip(&wanted) {
        assert_eq!(row[width - wanted.len()..], wanted[..]);
    }
    let text = String::from_utf8_lossy(&file);
    assert!(text.contains("V7=X1.1") && text.contains("A: Rất tốt"), "names and labels");
}

#[test]
fn a_workbook_has_the_ballots_and_their_codes() {
    for round in rounds() {
        let all = ballots(&round, 1);
        let mut book = workbook(&round).unwrap();
        for (id, ballot) in &all {
            book.write(id, ballot).unwrap();
        }
        let bytes = book.end().unwrap();
        assert!(bytes.starts_with(b"PK") && bytes.len() > 5_000);
    }
}
