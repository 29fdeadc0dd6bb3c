//! Whatever passes the check can be issued, answered, closed, opened and scored: the plan in its other reading, the
//! example with every kind of question, and rounds made up at random.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use survey_forms::answers::{Answer, Answers, Form, Mark};
use survey_forms::questionnaire::{Item, ItemKind};
use survey_forms::ratio::to_exact;
use survey_forms::round::{Channel, RoundFiles};
use survey_forms::scoring::ScoreDocument;
use survey_forms::{Round, every_kind, quang_nam_2023};

use super::super::fixture::BY;
use super::*;
use crate::ballot::{Casting, Token, find};
use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::credential::{self, Selection};
use crate::testing::{TestDb, databases_at};

/// An answer as somebody might give it.
fn some_answer(form: &Form<'_>, item: &Item, people: &mut StdRng) -> Answer {
    if form.channel == Channel::Paper && people.random_ratio(1, 6) {
        return Answer::Mark(Mark::ALL[people.random_range(0..3)]);
    }
    let options = item.options(form.scales, form.choices);
    let code = |at: usize| options[at].code.to_owned();
    match &item.kind {
        ItemKind::Scale { .. } | ItemKind::Single { .. } => Answer::Choice(code(people.random_range(0..options.len()))),
        ItemKind::Multiple { at_most, .. } => {
            let most = at_most.map_or(options.len(), |most| most as usize);
            let start = people.random_range(0..options.len());
            Answer::Choices((start..options.len()).take(people.random_range(1..=most)).map(code).collect())
        }
        ItemKind::Number { min, max, .. } => {
            let bound = min.as_ref().or(max.as_ref());
            Answer::Number(bound.map_or_else(|| "3".to_owned(), to_exact))
        }
        ItemKind::Text { letters } => {
            Answer::Text("Tiếp dân \"nhanh\" hơn".chars().take(*letters as usize).collect::<String>().trim().to_owned())
        }
    }
}

/// A ballot filled in from the top, as conditions allow; nobody sends an empty one.
fn filled_in(form: &Form<'_>, people: &mut StdRng) -> Answers {
    let answers = answered(form, people, 5);
    if answers.is_empty() { answered(form, people, 6) } else { answers }
}

/// Answers to so many of six questions that need none, and to all that need one.
fn answered(form: &Form<'_>, people: &mut StdRng, of_six: u32) -> Answers {
    let mut answers = Answers::new();
    for target in form.targets {
        for item in form.questionnaire.items() {
            let asked = form.questionnaire.asked(target, &answers).contains(item.code.as_str());
            let given = match form.channel {
                Channel::Paper => true,
                Channel::Online => asked && (item.required || people.random_ratio(of_six, 6)),
            };
            if given {
                answers.insert(target, &item.code, some_answer(form, item, people));
            }
        }
    }
    answers
}

/// Issues `each` codes a kind of ballot where the round leaves the number open, has most of them answered, and goes on to
/// the scores.
fn whole_job(test: &TestDb, clock: &Clock, files: &RoundFiles, each: u32, seed: u64) -> (Round, ScoreDocument) {
    let (rounds, entropy) = (Rounds::new(), Entropy::seeded(seed));
    let mut people = StdRng::seed_from_u64(seed);
    let loaded = test.db.write_here(|conn| crate::round::load(conn, files)).unwrap();
    let id = loaded.id.as_str();
    let ceremony = Ceremony::new(&test.db, &rounds, &entropy);
    let (casting, _thread) = Casting::start(&test.db, &Config::default(), &entropy).unwrap();
    let opens = loaded.dates.opens.to_utc() + TimeDelta::hours(1);
    clock.advance(opens - clock.fixed().unwrap());

    let mut codes = Vec::new();
    for assignment in loaded.assignments() {
        // Groups without units are picked by what they rate.
        let unit = assignment.source_unit.clone().or_else(|| assignment.targets.first().cloned());
        let single = assignment.targets.len() == 1 || assignment.source_unit.is_some();
        let selection = Selection {
            respondent_code: Some(&assignment.respondent_code),
            source_unit: unit.as_deref().filter(|_| single),
            count: assignment.ballots.is_none().then_some(each),
        };
        let issue = |conn: &mut Conn| {
            let round = rounds.get(conn, id).unwrap();
            credential::issue(conn, &round, selection, &entropy)
        };
        codes.extend(test.db.write_here(issue).unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("box.key");
    ceremony.keygen(&BY, id, |file| file.write_new(&key)).unwrap();
    ceremony.open(&BY, id).unwrap();
    let mut sent: BTreeMap<String, u64> = BTreeMap::new();
    let (mut written, mut kept) = (Vec::new(), Vec::new());
    for (place, code) in codes.iter().enumerate() {
        let token = Token::parse(&code.token.expose()).unwrap();
        let bearer = test.db.read_here(|conn| find(conn, &rounds, &token)).unwrap();
        if place % 7 != 6 {
            let answers = filled_in(&bearer.form().unwrap(), &mut people);
            assert!(casting.cast_here(&bearer, &answers).unwrap().first);
            *sent.entry(code.respondent_code.clone()).or_default() += 1;
            kept.push(without_texts(&bearer, answers, &mut written));
        }
    }
    let cast: u64 = sent.values().sum();
    assert_eq!(ceremony.close(&BY, id).unwrap().ballots, cast);
    let key = KeyFile::parse(&std::fs::read_to_string(&key).unwrap()).unwrap();
    let opening = ceremony.open_box(&BY, id, &key, |_| ()).unwrap();
    assert_eq!((opening.opened, opening.unreadable.len()), (cast, 0));
    texts_have_left(test, id, written, kept);
    let published = ceremony.publish(&BY, id, Timing::ForceEarly).unwrap();
    assert_eq!(published.valid + published.void, cast);
    let document: ScoreDocument = serde_json::from_str(&newest(test, id)).unwrap();
    for group in &document.ballots {
        let void: u64 = group.void.iter().map(|void| void.count).sum();
        // Ballots of no known group stand under no code; here there are none.
        let Some(code) = &group.respondent_code else { panic!("{} stray ballots", void) };
        assert_eq!(group.valid + void, sent.get(code).copied().unwrap_or_default(), "{code}");
        // Only paper can be void here: everybody fills in what they are asked.
        assert!(void == 0 || loaded.group(code).unwrap().channel == Channel::Paper);
    }
    let rated: std::collections::BTreeSet<String> = loaded.assignments().into_iter().flat_map(|a| a.targets).collect();
    for target in document.targets.iter().filter(|target| rated.contains(&target.target)) {
        assert!(!target.items.is_empty(), "{}", target.target);
    }
    (loaded, document)
}

/// Group, target, item, words.
type Written = Vec<[String; 4]>;

/// The canonical ballot as it is to be kept; what was written goes to `written`.
fn without_texts(bearer: &crate::ballot::Bearer, answers: Answers, written: &mut Written) -> String {
    let form = bearer.form().unwrap();
    let mut left = Answers::new();
    for (target, item, answer) in answers.iter() {
        let group = bearer.stratum.respondent_code.clone();
        match answer {
            Answer::Text(text) => written.push([group, target.to_owned(), item.to_owned(), text.clone()]),
            Answer::Mark(_) if form.questionnaire.item(item).unwrap().kind.as_str() == "text" => {}
            other => drop(left.insert(target, item, other.clone())),
        }
    }
    let questionnaire = form.questionnaire.hash.clone();
    let round = bearer.round.id().to_owned();
    let ballot = Ballot { round, questionnaire, stratum: bearer.stratum.clone(), answers: left };
    String::from_utf8(ballot.canonical()).unwrap()
}

/// Ballots are what was cast without its words; the words stand elsewhere, each under an id of its own.
fn texts_have_left(test: &TestDb, round: &str, mut written: Written, mut kept: Vec<String>) {
    let ballots = test.db.read_here(|conn| super::super::ballots(conn, round, &[], 10_000)).unwrap();
    let remarks = test.db.read_here(|conn| remarks(conn, round, &[], 10_000)).unwrap();
    let ids: std::collections::BTreeSet<&[u8]> =
        ballots.iter().map(|(id, _)| id.as_slice()).chain(remarks.iter().map(|(id, _)| id.as_slice())).collect();
    assert_eq!(ids.len(), ballots.len() + remarks.len(), "no id stands for two things");
    let mut bodies: Vec<String> = ballots.into_iter().map(|(_, body)| body).collect();
    let mut found: Written =
        remarks.into_iter().map(|(_, r)| [r.respondent_code, r.target, r.item_code, r.body]).collect();
    bodies.sort();
    kept.sort();
    found.sort();
    written.sort();
    assert!(bodies == kept && bodies.iter().all(|body| !body.contains("\"text\"")));
    assert_eq!(found, written);
}

fn newest(test: &TestDb, round: &str) -> String {
    use diesel::prelude::*;

    use crate::db::schema::publication;
    let query = publication::table.filter(publication::round.eq(round)).select(publication::document);
    test.db.read_here(|conn| query.first(conn).map_err(DbError::from)).unwrap()
}

fn each_database(work: impl Fn(&TestDb, &Clock)) {
    let start: DateTime<Utc> = "2023-01-01T00:00:00Z".parse().unwrap();
    let clock = Clock::set_to(start);
    for test in databases_at(&clock) {
        clock.advance(start - clock.fixed().unwrap());
        work(&test, &clock);
    }
}

#[test]
fn the_plan_in_its_other_reading_runs_from_codes_to_scores() {
    let mut files = quang_nam_2023();
    let text = String::from_utf8(files["round.toml"].clone()).unwrap();
    let mut groups: Vec<String> = text.split("[[groups]]").map(str::to_owned).collect();
    for group in &mut groups {
        let (kinds, quota, unit) = match group.as_str() {
            g if g.contains("code = \"LĐH-CH\"") => ("\"so\", \"nganh_doc\"", "\"huyen\"", "huyen"),
            g if g.contains("code = \"LĐS-CT\"") => ("\"huyen\"", "\"so\"", "so"),
            _ => continue,
        };
        let keep = group.lines().filter(|l| !["sources", "rates", "quota"].iter().any(|key| l.starts_with(key)));
        *group = keep.map(|line| format!("{line}\n")).collect();
        let at = group.find("weight").unwrap();
        let reading = format!(
            "sources = [\"{unit}\"]\nrates = {{ kinds = [{kinds}] }}\nquota = {{ per_source_unit = 2, of = {quota} }}\n"
        );
        group.insert_str(at, &reading);
    }
    files.insert("round.toml".to_owned(), groups.join("[[groups]]").into_bytes());
    each_database(|test, clock| {
        let (round, document) = whole_job(test, clock, &files, 1, 17);
        let papers = |code: &str| round.assignments().iter().filter(|a| a.respondent_code == code).count();
        assert_eq!((papers("LĐH-CH"), papers("LĐS-CT"), round.summary().paper_ballots), (18, 20, 106));
        assert_eq!(document.targets.len(), 43);
        // District leaders now rate every agency of the province, so their group stands beside every such item.
        let department = document.targets.iter().find(|t| t.target == "SNV").unwrap();
        let leaders = department.items.iter().flat_map(|item| &item.groups).find(|g| g.respondent_code == "LĐH-CH");
        assert_eq!(leaders.unwrap().issued, 36);
    });
}

#[test]
fn every_kind_of_question_runs_from_codes_to_scores() {
    each_database(|test, clock| {
        let (_, document) = whole_job(test, clock, &every_kind(), 9, 5);
        let codes: Vec<&str> = document.targets[0].items.iter().map(|item| item.item_code.as_str()).collect();
        assert_eq!(codes, ["Q1", "Q2"], "only scales are scored");
        let remarks = test.db.read_here(|conn| remarks(conn, "mau-day-du", &[], 10_000)).unwrap();
        assert!(remarks.len() > 5, "people wrote something");
    });
}

/// A folder made up at random. Its first group rates everything and asks everything that is scored, so that nothing is
/// left unrated or unasked; the others are as they come.
fn made_up(rng: &mut StdRng) -> RoundFiles {
    let kinds = rng.random_range(1..3_usize);
    let targets = rng.random_range(kinds..7);
    let scored = rng.random_range(1..6_usize);
    let mut files = RoundFiles::new();
    let mut put = |path: &str, text: String| drop(files.insert(path.to_owned(), text.into_bytes()));

    let mut table = "target_code\ttarget_kind\tname\n".to_owned();
    (0..targets).for_each(|t| writeln!(table, "T{t}\tk{}\tCơ quan {t}", t % kinds).unwrap());
    put("targets.tsv", table);
    let mut table = "unit_code\tparent_code\tunit_kind\tname\ttarget_code\tdivision\n".to_owned();
    for t in 0..targets {
        writeln!(table, "U{t}\t\tsame\tĐơn vị {t}\tT{t}\t").unwrap();
        writeln!(table, "X{t}\tU{t}\tbelow\tĐơn vị dưới {t}\t\tD{}", t % 2).unwrap();
    }
    table.push_str("HOI\t\tall\tHội\t\t\n");
    put("units.tsv", table);
    let mut table = "division\ttarget_code\n".to_owned();
    for t in 0..targets {
        writeln!(table, "D0\tT{t}").unwrap();
        if t == 0 || rng.random_ratio(1, 2) {
            writeln!(table, "D1\tT{t}").unwrap();
        }
    }
    put("mapping.tsv", table);
    let mut table = "scale\toption\tlabel\tpercent\n".to_owned();
    for s in 0..2 {
        let options = rng.random_range(2..8_u32);
        for o in 0..options {
            writeln!(table, "S{s}\tO{o}\tMức {o}\t{}", 100 - 100 * o / options).unwrap();
        }
        if rng.random_ratio(2, 3) {
            writeln!(table, "S{s}\tN\tKhông rõ\t").unwrap();
        }
    }
    put("scales.tsv", table);
    put("choices.tsv", "list\toption\tlabel\nL\tA\tMột\nL\tB\tHai\nL\tC\tBa\n".to_owned());
    let mut table = "item_code\tfield\tname\tindex_ref\tmax_points\n".to_owned();
    (0..scored).for_each(|i| writeln!(table, "I{i}\tF{}\tTiêu chí {i}\t\t{}", i % 2, rng.random_range(0..4)).unwrap());
    put("criteria.tsv", table);

    let shapes: [(&str, &str, &str, &str); 6] = [
        ("[\"same\"]", "\"own_unit\"", "\"roster\"", "online"),
        ("[\"below\"]", "\"parent\"", "\"roster\"", "online"),
        ("[\"below\"]", "\"mapped\"", "{ per_source_unit = 2, of = \"below\" }", "paper"),
        ("[\"all\"]", "{ targets = [\"T0\"] }", "{ fixed = 5 }", "paper"),
        ("[]", "{ one_per_ballot = [\"k0\"] }", "{ per_target = 2, of = \"k0\" }", "paper"),
        ("[\"all\"]", "{ kinds = [\"k0\"] }", "\"roster\"", "online"),
    ];
    let every: Vec<String> = (0..kinds).map(|k| format!("\"k{k}\"")).collect();
    let everything = format!("{{ kinds = [{}] }}", every.join(", "));
    let first =
        ("[\"all\"]", everything.as_str(), "{ fixed = 6 }", if rng.random_ratio(1, 2) { "online" } else { "paper" });
    let chosen: Vec<_> = std::iter::once(first).chain(shapes.into_iter().filter(|_| rng.random_ratio(1, 2))).collect();
    let mut toml =
        "id = \"bat-ky\"\ntitle = \"Bất kỳ\"\nlegal_basis = \"Thử\"\n\n[organiser]\nname = \"Sở\"\n\n[dates]\n\
                    opens = 2026-09-01T07:00:00+07:00\ncloses = 2026-10-01T00:00:00+07:00\n\
                    keying_closes = 2026-10-01T00:00:00+07:00\npublishes = 2026-11-01T08:00:00+07:00\n"
            .to_owned();
    (0..kinds).for_each(|k| writeln!(toml, "[[target_kinds]]\ncode = \"k{k}\"\nname = \"Loại {k}\"").unwrap());
    for kind in ["same", "below", "all"] {
        writeln!(toml, "[[unit_kinds]]\ncode = \"{kind}\"\nname = \"{kind}\"").unwrap();
    }
    (0..2).for_each(|f| writeln!(toml, "[[fields]]\ncode = \"F{f}\"\nname = \"Lĩnh vực {f}\"").unwrap());
    for (g, (sources, rates, quota, channel)) in chosen.iter().enumerate() {
        writeln!(
            toml,
            "[[groups]]\ncode = \"G{g}\"\nname = \"Nhóm {g}\"\nchannel = \"{channel}\"\nissue = \"draw\"\n\
             sources = {sources}\nrates = {rates}\nquota = {quota}\nweight = \"{}\"",
            rng.random_range(1..4)
        )
        .unwrap();
        put(&format!("questionnaires/g{g}.toml"), form(rng, g, scored));
    }
    writeln!(toml, "[scoring]\nvoid_below = \"0.{}\"", rng.random_range(0..6)).unwrap();
    writeln!(toml, "excluded_is_valid = {}\ndecimals = 2", rng.random_ratio(1, 2)).unwrap();
    writeln!(toml, "[disclosure]\nk = {}\ndistribution_n = 12", rng.random_range(1..12)).unwrap();
    put("round.toml", toml);
    files
}

/// A questionnaire: the first asks all that is scored, others some; in between come questions of other kinds and
/// conditions on what was asked before.
fn form(rng: &mut StdRng, group: usize, scored: usize) -> String {
    let mut text = format!("respondent_code = \"G{group}\"\ntitle = \"Phiếu {group}\"\nintro = \"Kính mời\"\n");
    text.push_str("[[sections]]\ncode = \"1\"\ntitle = \"Phần một\"\n");
    let mut earlier: Vec<(String, &str)> = Vec::new();
    for i in 0..scored {
        if rng.random_ratio(1, 2) {
            let (kind, keys) = [
                ("single", "kind = \"single\"\nchoices = \"L\""),
                ("multiple", "kind = \"multiple\"\nchoices = \"L\"\nat_most = 2"),
                ("number", "kind = \"number\"\nmin = \"1\"\nmax = \"9\""),
                ("text", "kind = \"text\"\nletters = 40"),
            ][rng.random_range(0..4)];
            writeln!(text, "[[sections.items]]\ncode = \"E{i}\"\nquestion = \"Hỏi thêm {i}?\"\n{keys}").unwrap();
            writeln!(text, "required = {}", rng.random_ratio(1, 3)).unwrap();
            condition(rng, &earlier, &mut text);
            if kind != "text" {
                earlier.push((format!("E{i}"), kind));
            }
        }
        if group > 0 && i > 0 && rng.random_ratio(1, 3) {
            continue;
        }
        writeln!(text, "[[sections.items]]\ncode = \"I{i}\"\nquestion = \"Tiêu chí {i}?\"\nscale = \"S{}\"", i % 2)
            .unwrap();
        // The first item is for everybody, so that there is always something to answer.
        if i > 0 {
            condition(rng, &earlier, &mut text);
        }
        earlier.push((format!("I{i}"), "scale"));
    }
    text
}

fn condition(rng: &mut StdRng, earlier: &[(String, &str)], text: &mut String) {
    if earlier.is_empty() || rng.random_ratio(1, 2) {
        return;
    }
    let (item, kind) = &earlier[rng.random_range(0..earlier.len())];
    let holds = match (*kind, rng.random_range(0..3)) {
        (_, 0) => "answered = true",
        ("number", 1) => "at_least = \"1\"",
        ("number", _) => "at_most = \"3\"",
        ("scale", 1) => "is = [\"O0\"]",
        ("scale", _) => "is_not = [\"O1\"]",
        (_, 1) => "is = [\"A\", \"B\"]",
        _ => "is_not = [\"C\"]",
    };
    writeln!(text, "only_if = [{{ item = \"{item}\", {holds} }}]").unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_passes_the_check_runs_from_codes_to_scores(seed in any::<u64>()) {
        let files = made_up(&mut StdRng::seed_from_u64(seed));
        let checked = Round::check(&files);
        prop_assert!(checked.round.is_some(), "{:#?}", checked.faults);
        each_database(|test, clock| drop(whole_job(test, clock, &files, 3, seed)));
    }
}
