//! `/nhap-phieu/luyen-tap`: ten ballots to learn on. Nothing is kept; the address says which ballot it is.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{self, Data};
use askama::Template;
use serde::Deserialize;
use survey_forms::Round;
use survey_forms::round::Channel;

use super::pages::{Sent, Tools, desk};
use super::screen::exercise_page;
use super::sheet::{Typed, read};
use super::training::{EXERCISES, Exercise, Slip, slips};
use super::{Effort, KeyingError, PaperDesk};
use crate::access::{Desk, Signed};
use crate::http::frame::{Frame, Site, page};
use crate::http::{Problem, codes};
use crate::round::RoundState;

pub(super) const PATH: &str = "/nhap-phieu/luyen-tap";

pub(super) fn pages(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource(PATH).get(start).post(compare));
}

#[derive(Template)]
#[template(path = "keying/training.html")]
struct TrainingPage {
    frame: Frame,
    exercises: u8,
}

#[derive(Template)]
#[template(path = "keying/trained.html")]
struct TrainedPage {
    frame: Frame,
    number: u8,
    items: usize,
    slips: Vec<Slip>,
    /// Keys and seconds, when a script counted them.
    pace: Option<(u32, u32)>,
}

impl TrainedPage {
    fn right(&self) -> usize {
        self.items.saturating_sub(self.slips.len())
    }

    fn next(&self) -> Option<u8> {
        self.number.checked_add(1).filter(|next| *next <= EXERCISES)
    }
}

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    bai: u8,
}

impl PaperDesk {
    /// The round whose paper is learned on: the one that is keyed now, or the next, or the plan that comes with the
    /// program.
    async fn training_round(&self) -> Result<Arc<Round>, KeyingError> {
        let rounds = self.rounds.clone();
        let found = self
            .db
            .read(move |conn| {
                let all = rounds.all(conn)?;
                let paper = |round: &&Arc<crate::round::LoadedRound>| {
                    round.state <= RoundState::Closed
                        && round.definition.groups.iter().any(|group| group.channel == Channel::Paper)
                };
                Ok::<_, KeyingError>(all.iter().find(paper).map(|round| Arc::clone(&round.definition)))
            })
            .await?;
        match found {
            Some(round) => Ok(round),
            None => {
                Ok(Arc::new(Round::from_files(&survey_forms::quang_nam_2023()).map_err(|_fault| KeyingError::NotOpen)?))
            }
        }
    }
}

async fn start(
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Desk>,
    which: web::Query<Which>,
) -> Result<HttpResponse, Problem> {
    if which.bai == 0 {
        let frame = site.frame("Luyện tập nhập phiếu").with_staff(signed.bar());
        return Ok(page(&TrainingPage { frame, exercises: EXERCISES }));
    }
    let round = desk(&tools).training_round().await?;
    let exercise = Exercise::of(&round, which.bai).ok_or(Problem::new(&codes::NOT_FOUND))?;
    let form = round.form(&exercise.respondent_code, &exercise.targets).ok_or(Problem::new(&codes::NOT_FOUND))?;
    Ok(exercise_page(&site, &signed, (&round, &form), &exercise, &Typed::new(), &std::collections::BTreeMap::new()))
}

async fn compare(
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Desk>,
    form: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::read(form.into_inner());
    if sent.stops {
        return Ok(crate::http::frame::see_other(&site.base().path(PATH)));
    }
    let number: u8 = sent.code.parse().map_err(|_number| Problem::new(&codes::NOT_FOUND))?;
    let round = desk(&tools).training_round().await?;
    let exercise = Exercise::of(&round, number).ok_or(Problem::new(&codes::NOT_FOUND))?;
    let form = round.form(&exercise.respondent_code, &exercise.targets).ok_or(Problem::new(&codes::NOT_FOUND))?;
    let keyed = match read(&form, &sent.typed) {
        Ok(keyed) => keyed,
        Err(faults) => return Ok(exercise_page(&site, &signed, (&round, &form), &exercise, &sent.typed, &faults)),
    };
    // Whole seconds: who is faster than half a one is said to have taken one.
    let effort = sent.effort.filter(|effort| effort.keystrokes > 0);
    let pace = effort.map(|Effort { keystrokes, seconds, .. }| (keystrokes, seconds.max(1)));
    Ok(page(&TrainedPage {
        frame: site.frame(&format!("Luyện tập · Bài {number}")).with_staff(signed.bar()),
        number,
        items: exercise.paper.len(),
        slips: slips(&round, &form, &exercise.paper, &keyed),
        pace,
    }))
}
