//! Taking letters out of the outbox: the transaction in which their codes come to life.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Template, store, text};
use crate::addressee::{self, Addressee};
use crate::ballot::log::entry::What;
use crate::ballot::log::{self};
use crate::ballot::{Keys, PublicKey, Token};
use crate::clock::{Entropy, local};
use crate::credential::{self, CredentialError};
use crate::db::{Conn, Db, unix_ms};
use crate::round::{LoadedRound, RoundState, Rounds};

/// Most tries of a letter that is refused for now.
pub(super) const TRIES_MAX: i64 = 8;

/// A letter that is about to be handed over, with the only copy of its code.
pub(super) struct Ready {
    pub(super) id: String,
    pub(super) round: Arc<LoadedRound>,
    pub(super) person: Addressee,
    pub(super) template: Template,
    pub(super) token: Option<Token>,
    pub(super) key: Option<PublicKey>,
    /// Which try this is.
    pub(super) turn: i64,
}

/// When letters may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hours {
    /// On the round's days, within its hours.
    Declared,
    /// Now.
    Any,
}

/// Unit of a group → what its ballots rate, of the round with this hash.
type Routes = (String, Arc<BTreeMap<(String, String), String>>);

pub(super) struct Outbox {
    pub(super) db: Db,
    pub(super) rounds: Rounds,
    pub(super) entropy: Entropy,
    /// From the decision to hand over until the letter counts as cut off.
    pub(super) lease: TimeDelta,
    /// From the first refusal for now until the second try.
    pub(super) retry: TimeDelta,
    routes: Mutex<Option<Routes>>,
}

impl Outbox {
    pub(super) fn new(db: &Db, rounds: &Rounds, entropy: &Entropy, [lease, retry]: [TimeDelta; 2]) -> Self {
        let (db, rounds, entropy) = (db.clone(), rounds.clone(), entropy.clone());
        Self { db, rounds, entropy, lease, retry, routes: Mutex::default() }
    }

    /// The rounds whose letters may go now.
    fn sending(
        &self,
        conn: &mut Conn,
        now: DateTime<Utc>,
        only: Option<&str>,
        hours: Hours,
    ) -> Result<Vec<Arc<LoadedRound>>, CredentialError> {
        let all = self.rounds.all(conn).map_err(crate::ballot::FindError::from)?;
        let mut open = Vec::new();
        for round in all.iter().filter(|round| only.is_none_or(|only| only == round.id())) {
            let within = round.state == RoundState::Open && round.opens_at <= now && now < round.closes_at;
            let letters = round.definition.letters.clone().unwrap_or_default();
            if within && (hours == Hours::Any || letters.sends_at(local(now).naive_local())) {
                let posting = store::posting(conn, round.id())?;
                if posting.is_none_or(|posting| posting.paused_by.is_none()) {
                    open.push(Arc::clone(round));
                }
            }
        }
        Ok(open)
    }

    /// Whether there is a letter to take.
    pub(super) fn is_due(&self, only: Option<&str>, hours: Hours) -> Result<bool, CredentialError> {
        self.db.read_here(|conn| {
            let now = self.db.now(conn)?;
            for round in self.sending(conn, now, only, hours)? {
                if store::is_due(conn, round.id(), unix_ms(&now))? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Takes letters: their codes are live when this returns, and nobody else has them.
    pub(super) fn take(&self, only: Option<&str>, hours: Hours, most: i64) -> Result<Vec<Ready>, CredentialError> {
        self.db.write_here(|conn| {
            let now = self.db.now(conn)?;
            for round in self.sending(conn, now, only, hours)? {
                // Held against a close, which destroys what is read here.
                if credential::takes_codes(conn, round.id()).is_err() {
                    continue;
                }
                let letters = store::due(conn, round.id(), unix_ms(&now), most)?;
                if !letters.is_empty() {
                    return self.decide(conn, &round, now, letters);
                }
            }
            Ok(Vec::new())
        })
    }

    fn decide(
        &self,
        conn: &mut Conn,
        round: &Arc<LoadedRound>,
        now: DateTime<Utc>,
        letters: Vec<store::Due>,
    ) -> Result<Vec<Ready>, CredentialError> {
        let mut ready: Vec<Ready> = Vec::new();
        let mut revoked = 0;
        for letter in letters {
            let Some(template) = Template::parse(&letter.template) else { continue };
            let Some(person) = addressee::one(conn, round.id(), &letter.addressee)? else { continue };
            let tied = addressee::tied(conn, &person.id)?;
            let held = tied.map(|key| store::held_code(conn, &key)).transpose()?.flatten();
            if held.as_deref() == Some("used") {
                // Answered: nothing to remind of, and a letter that was cut off has arrived.
                self.answered(conn, &letter, template, now)?;
                continue;
            }
            if template == Template::Reminder && !self.may_remind(conn, &letter, &person, now)? {
                continue;
            }
            let turn = letter.tries + 1;
            if letter.state == "sending" && letter.tries >= TRIES_MAX {
                let given_up = store::Settled { state: "failed", due: 0, tries: turn, fault: Some(text::MAIL_FAULT) };
                store::settle(conn, &letter.id, letter.tries, &given_up)?;
                continue;
            }
            store::begin(conn, &letter.id, turn, unix_ms(&(now + self.lease)))?;
            let mut one =
                Ready { id: letter.id, round: Arc::clone(round), person, template, token: None, key: None, turn };
            if text::holds_code(&round.definition, template) {
                if let Some(old) = tied.filter(|_| held.as_deref() == Some("issued")) {
                    revoked += usize::from(credential::store::revoke(conn, &old)?);
                }
                let token = Token::generate(&self.entropy);
                one.key = Some(Keys::derive(&token, round.id()).public);
                one.token = Some(token);
            }
            ready.push(one);
        }
        self.make(conn, round, &ready, revoked)?;
        Ok(ready)
    }

    fn answered(
        &self,
        conn: &mut Conn,
        letter: &store::Due,
        template: Template,
        now: DateTime<Utc>,
    ) -> Result<(), CredentialError> {
        if template == Template::Reminder {
            return Ok(store::delete(conn, &letter.id)?);
        }
        store::begin(conn, &letter.id, letter.tries, unix_ms(&now))?;
        let sent = store::Settled { state: "sent", due: unix_ms(&now), tries: letter.tries, fault: None };
        store::settle(conn, &letter.id, letter.tries, &sent)?;
        Ok(())
    }

    /// A reminder waits for the letter that it reminds of, and is given up with it.
    fn may_remind(
        &self,
        conn: &mut Conn,
        letter: &store::Due,
        person: &Addressee,
        now: DateTime<Utc>,
    ) -> Result<bool, CredentialError> {
        match store::has_letter(conn, &person.id)? {
            Some(true) => Ok(true),
            Some(false) => {
                store::postpone(conn, &letter.id, unix_ms(&(now + TimeDelta::hours(1))))?;
                Ok(false)
            }
            None => {
                store::delete(conn, &letter.id)?;
                Ok(false)
            }
        }
    }

    /// Makes the codes of these letters live, and tells the log how many.
    fn make(
        &self,
        conn: &mut Conn,
        round: &Arc<LoadedRound>,
        ready: &[Ready],
        revoked: usize,
    ) -> Result<(), CredentialError> {
        let routes = self.routes(round);
        let mut rows = Vec::new();
        for one in ready {
            let Some(key) = one.key else { continue };
            let place = (one.person.respondent_code.clone(), one.person.source_unit.clone());
            let targets = routes.get(&place).ok_or(CredentialError::NothingSelected)?;
            let group = round.definition.group(&place.0).ok_or(CredentialError::NothingSelected)?;
            rows.push(credential::store::NewCredential {
                public_key: key.to_vec(),
                round: round.id().to_owned(),
                respondent_code: place.0,
                source_unit: place.1,
                targets: targets.clone(),
                channel: group.channel.as_str(),
                state: "issued",
            });
        }
        if rows.is_empty() {
            return Ok(());
        }
        rows.sort_by(|a, b| a.public_key.cmp(&b.public_key));
        credential::store::insert(conn, &rows)?;
        for one in ready {
            if let Some(key) = &one.key {
                addressee::tie(conn, round.id(), &one.person.id, key)?;
            }
        }
        let what = if revoked > 0 { What::CodesReplaced } else { What::CodesIssued };
        Ok(log::incident(conn, round.id(), what, rows.len(), revoked)?)
    }

    fn routes(&self, round: &LoadedRound) -> Arc<BTreeMap<(String, String), String>> {
        let mut known = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((hash, routes)) = &*known
            && *hash == round.definition.hash
        {
            return Arc::clone(routes);
        }
        let route = |a: survey_forms::round::Assignment| {
            let targets = a.targets.join("+");
            ((a.respondent_code, a.source_unit.unwrap_or_default()), targets)
        };
        let routes: Arc<BTreeMap<_, _>> = Arc::new(round.definition.assignments().into_iter().map(route).collect());
        *known = Some((round.definition.hash.clone(), Arc::clone(&routes)));
        routes
    }
}
