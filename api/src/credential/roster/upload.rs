//! Reading an uploaded form with one file and a few words, never more than may be kept.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_multipart::{Multipart, MultipartError};
use actix_web::{HttpRequest, web};
use futures_util::TryStreamExt as _;
use survey_forms::roster::grid::BYTES_MAX;

use crate::http::{Problem, codes};

/// Longest time for an upload to arrive, below the service's own limit so that the answer is still a page.
const WITHIN: Duration = Duration::from_secs(18);
/// What is read of an upload that is too large, so that the browser gets to see the answer.
const DRAIN_MAX: usize = 4 * BYTES_MAX;
const WORD_MAX: usize = 200;

/// What was sent.
#[derive(Default)]
pub(super) struct Sent {
    /// The file's name and bytes; more than may be kept is one byte too many, so that its reader says so.
    pub(super) file: Option<(String, Vec<u8>)>,
    pub(super) words: BTreeMap<String, String>,
}

pub(super) async fn receive(req: &HttpRequest, payload: web::Payload) -> Result<Sent, Problem> {
    let read = read(Multipart::new(req.headers(), payload));
    tokio::time::timeout(WITHIN, read).await.map_err(|_elapsed| Problem::new(&codes::TOO_SLOW))?
}

async fn read(mut form: Multipart) -> Result<Sent, Problem> {
    let mut sent = Sent::default();
    let mut read = 0_usize;
    while let Some(mut field) = form.try_next().await.map_err(|error| broken(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.content_disposition().and_then(|c| c.get_filename()).map(str::to_owned);
        let most = if file.is_some() { BYTES_MAX + 1 } else { WORD_MAX };
        let mut kept = Vec::new();
        while let Some(piece) = field.try_next().await.map_err(|error| broken(&error))? {
            read += piece.len();
            if read > DRAIN_MAX {
                return Err(Problem::new(&codes::BODY_TOO_LARGE));
            }
            let room = most.saturating_sub(kept.len()).min(piece.len());
            kept.extend_from_slice(piece.get(..room).unwrap_or_default());
        }
        match file {
            Some(file) => sent.file = Some((file.chars().take(WORD_MAX).collect(), kept)),
            None => {
                sent.words.insert(name, String::from_utf8_lossy(&kept).into_owned());
            }
        }
    }
    Ok(sent)
}

fn broken(error: &MultipartError) -> Problem {
    match error {
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible
        | MultipartError::BoundaryMissing => Problem::new(&codes::MEDIA_TYPE_UNSUPPORTED),
        MultipartError::Incomplete | MultipartError::Payload(_) => Problem::new(&codes::UPLOAD_INCOMPLETE),
        _ => Problem::new(&codes::BODY_MALFORMED),
    }
}
