//! The plan's round on its way, for the tests of this room and those above it: codes, simulated people, every act.

mod serving;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt as _;
use rand::rngs::StdRng;
use survey_forms::Round;
use survey_forms::answers::{Answer, Answers, Ballot, Mark};
use survey_forms::round::Channel;
use survey_forms::scoring::{LeftOut, ScoreDocument};

use super::{Ceremony, KeyFile, Timing};
use crate::access::Actor;
use crate::ballot::{Casting, Receipt, Token, find};
use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::credential::{self, IssuedCode, Selection};
use crate::db::DbError;
use crate::round::{RoundError, Rounds};
use crate::testing::{TestDb, databases_at};
pub(crate) use serving::{Reply, Routes, get};

/// The plan's round.
pub(crate) const ROUND: &str = "quang-nam-2023";
/// Whoever acts in these tests.
pub(crate) const BY: Actor = Actor::Command;

/// One database with the plan's round.
pub(crate) struct Place {
    pub(crate) test: TestDb,
    pub(crate) clock: Clock,
    pub(crate) rounds: Rounds,
    pub(crate) ceremony: Ceremony,
    pub(crate) casting: Casting,
    pub(crate) entropy: Entropy,
    pub(crate) people: StdRng,
    folder: tempfile::TempDir,
}

/// What one simulated person did.
pub(crate) struct Sent {
    pub(crate) receipt: Receipt,
    pub(crate) ballot: Ballot,
    pub(crate) source_unit: String,
}

/// Every database at hand with the round loaded, one week into its fieldwork; one after the other, as they share a
/// clock.
pub(crate) fn places() -> impl Iterator<Item = Place> {
    places_of(survey_forms::quang_nam_2023())
}

/// The same with letters to the named people of CC-ND.
pub(crate) fn places_with_letters() -> impl Iterator<Item = Place> {
    let mut files = survey_forms::quang_nam_2023();
    let text = String::from_utf8(files["round.toml"].clone()).unwrap();
    let (before, after) = text.split_once("code = \"CC-ND\"").unwrap();
    let text = format!("{before}code = \"CC-ND\"{}", after.replacen("\"draw\"", "\"addressed\"", 1));
    files.insert("round.toml".to_owned(), format!("{text}\n[letters]\nremind_after_days = [5, 10]\n").into_bytes());
    places_of(files)
}

fn places_of(files: survey_forms::RoundFiles) -> impl Iterator<Item = Place> {
    let start: DateTime<Utc> = "2023-09-22T01:00:00Z".parse().unwrap();
    let clock = Clock::set_to(start);
    let tests = databases_at(&clock);
    tests.into_iter().map(move |test| {
        clock.advance(start - clock.fixed().unwrap());
        let (rounds, entropy) = (Rounds::new(), Entropy::seeded(11));
        test.db.write_here(|conn| crate::round::load(conn, &files)).unwrap();
        let ceremony = Ceremony::new(&test.db, &rounds, &entropy);
        let (casting, _thread) = Casting::start(&test.db, &Config::default(), &entropy).unwrap();
        let people = entropy.generator();
        let folder = tempfile::tempdir().unwrap();
        Place { test, clock: clock.clone(), rounds, ceremony, casting, entropy, people, folder }
    })
}

impl Place {
    pub(crate) fn definition(&self) -> std::sync::Arc<Round> {
        let round = self.test.db.read_here(|conn| self.rounds.get(conn, ROUND)).unwrap();
        std::sync::Arc::clone(&round.definition)
    }

    /// Codes for one kind of ballot, or for all of a group.
    pub(crate) fn issue(&self, group: &str, unit: Option<&str>, count: Option<u32>) -> Vec<IssuedCode> {
        let selection = Selection { respondent_code: Some(group), source_unit: unit, count };
        self.test
            .db
            .write_here(|conn| {
                let round = self.rounds.get(conn, ROUND).unwrap();
                credential::issue(conn, &round, selection, &self.entropy)
            })
            .unwrap()
    }

    /// Imports people of CC-ND, where letters go to named people.
    pub(crate) fn invite(&self, rows: &str) {
        let list = format!("Họ và tên,Đơn vị,Email\n{rows}");
        self.test
            .db
            .write_here(|conn| {
                let round = self.rounds.get(conn, ROUND).unwrap();
                let (_, _, list) =
                    credential::roster::read(list.as_bytes(), "", &round.definition, Some("CC-ND")).unwrap();
                credential::roster::import(conn, &round, &list, &self.entropy)
            })
            .unwrap();
    }

    /// The details that the trail has of one kind of act, the newest first.
    pub(crate) fn details(&self, action: &str) -> Vec<String> {
        let entries = self.test.db.read_here(|conn| crate::access::audit::read(conn, None, 1000)).unwrap();
        entries.into_iter().filter(|e| e.action == action).map(|e| e.detail).collect()
    }

    /// The 106 paper codes of the plan and some of each online group: 219 codes.
    pub(crate) fn issue_all(&self) -> Vec<IssuedCode> {
        let mut codes = Vec::new();
        for group in ["HĐ-CT", "LĐH-CH", "LĐS-CT"] {
            codes.extend(self.issue(group, None, None));
        }
        for (group, unit, count) in [
            ("CC-CT", "SNV", 40),
            ("CC-CT", "STC", 15),
            ("CC-ND", "BHXH", 20),
            ("CC-CH", "H502", 25),
            ("LĐX-CH", "X20692", 3),
        ] {
            codes.extend(self.issue(group, Some(unit), Some(count)));
        }
        let division =
            self.definition().assignments().into_iter().find(|a| a.respondent_code == "LĐ-CP" && a.targets.len() > 1);
        codes.extend(self.issue("LĐ-CP", division.unwrap().source_unit.as_deref(), Some(10)));
        codes
    }

    pub(crate) fn key_path(&self) -> std::path::PathBuf {
        self.folder.path().join("box.key")
    }

    pub(crate) fn keygen(&self) {
        self.ceremony.keygen(&BY, ROUND, |file| file.write_new(&self.key_path())).unwrap();
    }

    pub(crate) fn key(&self) -> KeyFile {
        KeyFile::parse(&std::fs::read_to_string(self.key_path()).unwrap()).unwrap()
    }

    /// Casts for a code through the real path.
    pub(crate) fn cast(&mut self, code: &IssuedCode) -> Sent {
        let token = Token::parse(&code.token.expose()).unwrap();
        let bearer = self.test.db.read_here(|conn| find(conn, &self.rounds, &token)).unwrap();
        let form = bearer.form().unwrap();
        let careless = form.channel == Channel::Paper && self.people.random_ratio(1, 8);
        let mut answers = Answers::new();
        for target in form.targets {
            for item in form.questionnaire.items() {
                let options = item.options(form.scales, form.choices);
                let choice = Answer::Choice(options[self.people.random_range(0..options.len())].code.to_owned());
                let answer = match form.channel {
                    Channel::Paper if careless || self.people.random_ratio(1, 20) => Answer::Mark(Mark::Blank),
                    Channel::Online if self.people.random_ratio(1, 20) => continue,
                    _ => choice,
                };
                answers.insert(target, &item.code, answer);
            }
        }
        // On a thread of its own: the tests of routes run inside a runtime.
        let cast = std::thread::scope(|scope| scope.spawn(|| self.casting.cast_here(&bearer, &answers)).join());
        let cast = cast.unwrap().unwrap();
        assert!(cast.first);
        let ballot = Ballot {
            round: ROUND.to_owned(),
            questionnaire: form.questionnaire.hash.clone(),
            stratum: bearer.stratum.clone(),
            answers,
        };
        Sent { receipt: cast.receipt, ballot, source_unit: bearer.source_unit.clone() }
    }

    /// Opens the round and lets most of the codes answer over some days.
    pub(crate) fn field_work(&mut self) -> Vec<Sent> {
        let codes = self.issue_all();
        self.keygen();
        self.ceremony.open(&BY, ROUND).unwrap();
        let mut sent = Vec::new();
        for (place, code) in codes.iter().enumerate() {
            if place % 40 == 39 {
                self.clock.advance(TimeDelta::days(1));
            }
            if place % 11 != 10 {
                sent.push(self.cast(code));
            }
        }
        sent
    }

    /// Sets the clock past the round's date of publication.
    pub(crate) fn wait_for_publication(&self) {
        let at: DateTime<Utc> = self.definition().dates.publishes.to_utc() + TimeDelta::hours(1);
        let now = self.clock.fixed().unwrap();
        self.clock.advance(at - now);
    }

    pub(crate) fn until_opened(&mut self) -> Vec<Sent> {
        let sent = self.field_work();
        self.ceremony.close(&BY, ROUND).unwrap();
        self.ceremony.open_box(&BY, ROUND, &self.key(), |_| ()).unwrap();
        sent
    }

    pub(crate) fn until_published(&mut self) -> Vec<Sent> {
        let sent = self.until_opened();
        self.wait_for_publication();
        self.ceremony.publish(&BY, ROUND, Timing::OnTime).unwrap();
        sent
    }

    /// The documents that were released, the oldest first.
    pub(crate) fn released(&self) -> Vec<ScoreDocument> {
        let all = self.test.db.read_here(|conn| super::store::releases(conn, ROUND).map_err(DbError::from)).unwrap();
        all.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// A group about a target whose cells were all shown in the first release, or some of whose were hidden.
    pub(crate) fn group_about_target(&self, shown: bool) -> LeftOut {
        let first = self.released().remove(0);
        for target in &first.targets {
            let groups: BTreeSet<&String> =
                target.items.iter().flat_map(|item| &item.groups).map(|cell| &cell.respondent_code).collect();
            for group in groups {
                let cells = target.items.iter().flat_map(|item| &item.groups).filter(|c| c.n > 0);
                let cells: Vec<bool> =
                    cells.filter(|c| c.respondent_code == *group).map(|c| c.mean.is_some()).collect();
                if !cells.is_empty() && cells.iter().all(|is_shown| *is_shown) == shown {
                    let (respondent_code, target) = (Some(group.clone()), Some(target.target.clone()));
                    return LeftOut { respondent_code, target, item_code: None };
                }
            }
        }
        panic!("no group about a target is shown throughout: {shown}")
    }

    /// The audit trail of the round: act → detail.
    pub(crate) fn trail(&self) -> BTreeMap<String, String> {
        let entries = self.test.db.read_here(|conn| crate::access::audit::read(conn, None, 1000)).unwrap();
        entries.into_iter().filter(|e| e.subject == ROUND).map(|e| (e.action, e.detail)).collect()
    }

    pub(crate) fn state(&self) -> crate::round::RoundState {
        let state = |conn: &mut crate::db::Conn| {
            self.rounds.reread(conn)?;
            Ok::<_, RoundError>(self.rounds.get(conn, ROUND)?.state)
        };
        self.test.db.read_here(state).unwrap()
    }

    /// Runs one statement, as somebody with the database in hand would.
    pub(crate) fn tamper(&self, statement: &str) {
        use diesel::connection::SimpleConnection as _;
        self.test.db.write_here(|conn| conn.batch_execute(statement).map_err(DbError::from)).unwrap();
    }
}
