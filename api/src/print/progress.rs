//! The page of a long list: it tells how far the drawing is while it comes, without a script, and ends with the files in
//! it. There is no second request, so any number of processes may serve it and none keeps a file: whoever leaves the page
//! before its end has no codes, and whoever loses it asks again for others.

use std::convert::Infallible;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{self, Bytes};
use askama::Template;
use data_encoding::BASE64;
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::handing::{Begun, Made};
use super::job::{Halt, Job, parts};
use super::pages::words;
use crate::http::Problem;
use crate::http::codes::INTERNAL;
use crate::http::frame::Frame;
use crate::round::LoadedRound;

/// Codes of one file: slips, and ballots, which weigh more. Browsers take links of some megabytes.
const SLIPS: usize = 2_000;
const BALLOTS: usize = 60;
/// Times that the page tells how far it is.
const STEPS: usize = 40;
/// Where in the page the drawing happens.
const HERE: &str = "<!--here-->";
/// Bytes of one piece of the answer.
const PIECE: usize = 64 << 10;

#[derive(Template)]
#[template(path = "print/drawing.html")]
struct DrawingPage {
    frame: Frame,
    id: String,
    group: String,
    count: usize,
}

#[derive(Template)]
#[template(path = "print/drawn.html")]
struct Drawn {
    fault: Option<String>,
    count: usize,
    revoked: usize,
    /// Name, words and content of each file.
    files: Vec<File>,
}

struct File {
    name: String,
    words: String,
    content: String,
}

/// Begins to answer at once, and draws meanwhile.
pub(super) fn answer(frame: Frame, job: Job, begun: Begun) -> Result<HttpResponse, Problem> {
    let count = begun.made().codes.len();
    let page = DrawingPage { frame, id: job.id.clone(), group: job.wanted.nhom.clone(), count };
    let page = page.render().map_err(|error| Problem::internal(&error))?;
    let (before, after) = page.split_once(HERE).ok_or(Problem::new(&INTERNAL))?;
    let (before, after) = (before.to_owned(), after.to_owned());
    let (sender, mut receiver) = mpsc::channel::<Bytes>(8);
    // Its thread outlives neither the drawing nor, before the codes count, whoever waits for it.
    drop(web::block(move || {
        let send = |text: &str| text.as_bytes().chunks(PIECE).all(|p| sender.blocking_send(p.to_vec().into()).is_ok());
        // Who reads slowly misses a step, and nobody waits for them.
        let tell = |step: String| !matches!(sender.try_send(step.into()), Err(TrySendError::Closed(_)));
        if send(&before) {
            let drawn = draw(&job, begun, count, &tell);
            let _ = send(&drawn) && send(&after);
        }
    }));
    let pieces = stream::poll_fn(move |context| receiver.poll_recv(context).map(|p| p.map(Ok::<_, Infallible>)));
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        // Neither compressed nor kept back on the way: each piece is to be seen when it comes.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(pieces))
}

/// Draws, and gives back the end of the page.
fn draw(job: &Job, begun: Begun, count: usize, tell: &dyn Fn(String) -> bool) -> String {
    let is_paper = begun.made().codes.iter().any(|code| code.sheet.is_some());
    let most = if is_paper { BALLOTS } else { SLIPS };
    let mut step = 0;
    let mut told = |drawn: usize| {
        let now = drawn * STEPS / count.max(1);
        let is_new = now != step;
        step = now;
        !is_new || tell(format!("<p>Đã vẽ {drawn} trên {count}.</p>\n"))
    };
    let page = match job.finish(begun, most, &mut told) {
        Ok((made, files)) => handed(job, &made, most, files),
        Err(halt) => refused(&halt),
    };
    page.render().unwrap_or_else(|error| {
        tracing::error!(%error, "template failed");
        String::new()
    })
}

fn handed(job: &Job, made: &Made, most: usize, files: Vec<Vec<u8>>) -> Drawn {
    let groups = parts(&made.codes, most);
    let number = files.len();
    let files = files.iter().zip(&groups).zip(1_usize..).map(|((bytes, codes), n)| {
        let place = |code: Option<&crate::credential::IssuedCode>| {
            code.map_or_else(String::new, |code| place(&made.round, code))
        };
        let (first, last) = (place(codes.first()), place(codes.last()));
        let places = if first == last { first } else { format!("{first} đến {last}") };
        let kib = bytes.len().div_ceil(1024);
        File {
            name: format!("{}-{}-{n}-{number}.pdf", job.id, job.wanted.nhom),
            words: format!("Tải tệp {n}/{number}: {places}, {} mã, {kib} KiB", codes.len()),
            content: BASE64.encode(bytes),
        }
    });
    Drawn { fault: None, count: made.codes.len(), revoked: made.revoked, files: files.collect() }
}

/// Where the sheets of a code go.
fn place(round: &LoadedRound, code: &crate::credential::IssuedCode) -> String {
    match (&code.sheet, round.definition.unit(&code.source_unit), code.targets.as_slice()) {
        (Some(sheet), ..) => format!("bó {:02}", sheet.bundle),
        (None, Some(unit), _) => unit.name.clone(),
        (None, None, [target]) => round.definition.target(target).map_or_else(String::new, |t| t.name.clone()),
        _ => code.respondent_code.clone(),
    }
}

fn refused(halt: &Halt) -> Drawn {
    let said = match halt {
        Halt::Press(error) => {
            let known = words(error).map(|(_, words)| words);
            known.unwrap_or_else(|| {
                tracing::error!(%error, "codes could not be drawn");
                INTERNAL.title.to_owned()
            })
        }
        Halt::Confirm(_) => "Danh sách này vừa được giao cho người khác.".to_owned(),
        Halt::Gone => String::new(),
    };
    Drawn { fault: Some(said), count: 0, revoked: 0, files: Vec::new() }
}
