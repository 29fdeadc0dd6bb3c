//! A form with page images as it arrives: bounded in size and time, whoever sends it.

use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{HttpRequest, web};
use futures_util::TryStreamExt as _;

use super::{PAGE_BYTES_MAX, SENT_BYTES_MAX};
use crate::http::{Problem, codes};

/// Longest time for an upload to arrive, below the service's own limit so that there still is an answer.
const UPLOAD_WITHIN: Duration = Duration::from_secs(18);
/// Most bytes of a field that is no file.
const FIELD_BYTES_MAX: usize = 256;

/// A form with pages. No `Debug`: it carries a code.
#[derive(Default)]
pub(super) struct Received {
    pub(super) code: String,
    /// Takes the pages away instead.
    pub(super) removes: bool,
    pub(super) files: Vec<Vec<u8>>,
    /// A page was over [`PAGE_BYTES_MAX`], or all over [`SENT_BYTES_MAX`]; it is not among the files.
    pub(super) too_large: bool,
}

/// Reads a form whose pages are in the fields `page`.
///
/// # Errors
/// `too_slow`, `body_too_large`, `upload_incomplete`, `media_type_unsupported`, `body_malformed`.
pub(super) async fn received(req: &HttpRequest, payload: web::Payload, page: &str) -> Result<Received, Problem> {
    let form = Multipart::new(req.headers(), payload);
    let received = tokio::time::timeout(UPLOAD_WITHIN, receive(form, page)).await;
    received.map_err(|_elapsed| Problem::new(&codes::TOO_SLOW))?
}

async fn receive(mut form: Multipart, page: &str) -> Result<Received, Problem> {
    let mut received = Received::default();
    let mut room = SENT_BYTES_MAX;
    while let Some(field) = form.try_next().await.map_err(|error| broken(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        let is_page = name == page;
        let most = if is_page { room.min(PAGE_BYTES_MAX) } else { FIELD_BYTES_MAX };
        let content = receive_field(field, most).await?;
        match (name.as_str(), content) {
            (_, None) if is_page => received.too_large = true,
            // A form without a chosen file sends an empty one.
            (_, Some(bytes)) if is_page && bytes.is_empty() => {}
            (_, Some(bytes)) if is_page => {
                room = room.saturating_sub(bytes.len());
                received.files.push(bytes);
            }
            ("code", Some(bytes)) => received.code = String::from_utf8(bytes).unwrap_or_default(),
            ("viec", Some(bytes)) => received.removes = bytes == b"xoa",
            _ => {}
        }
    }
    Ok(received)
}

/// The bytes of one field; none when there are more than `most`.
async fn receive_field(mut field: Field, most: usize) -> Result<Option<Vec<u8>>, Problem> {
    let mut kept = Some(Vec::new());
    let mut read = 0_usize;
    while let Some(piece) = field.try_next().await.map_err(|error| broken(&error))? {
        read += piece.len();
        // Read on, so that the browser gets to see the answer, but not for ever.
        if read > 4 * SENT_BYTES_MAX {
            return Err(Problem::new(&codes::BODY_TOO_LARGE));
        }
        if read > most {
            kept = None;
        }
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(&piece);
        }
    }
    Ok(kept)
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
