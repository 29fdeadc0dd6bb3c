//! The organiser's logo in the header, within what a page may weigh: 14 kB.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::web::Path;
use survey_forms::round::Logo;

use super::super::Booth;
use crate::http::frame::Frame;
use crate::http::{Problem, codes};
use crate::round::LoadedRound;

/// Up to so many bytes the logo is part of the page; a bigger one is a request of its own.
const INLINE_MAX: usize = 2_048;

/// The frame with the round's logo. A page with a script holds a form, which may be long already: it goes without a
/// logo that is a request of its own.
pub(super) fn on(frame: Frame, round: &LoadedRound) -> Frame {
    let Some(logo) = &round.definition.organiser.logo else { return frame };
    let source = if logo.bytes.len() <= INLINE_MAX {
        Some(format!("data:{};base64,{}", logo.media_type, data_encoding::BASE64.encode(&logo.bytes)))
    } else {
        frame.inline.is_none().then(|| format!("{}/dau-hieu/{}", frame.prefix, name(round.id(), logo)))
    };
    frame.with_logo(source)
}

/// Round and hash, so that it may be kept for ever.
fn name(round: &str, logo: &Logo) -> String {
    let extension = logo.file.rsplit_once('.').map_or("", |(_, extension)| extension);
    format!("{round}.{}.{extension}", logo.sha256.get(..12).unwrap_or_default())
}

/// `GET /dau-hieu/{file}`.
pub(super) async fn serve(booth: Booth, file: Path<String>) -> Result<HttpResponse, Problem> {
    let (rounds, _) = booth.rounds().await?;
    let logos = rounds.iter().filter_map(|r| Some((r, r.definition.organiser.logo.as_ref()?)));
    let logo = logos.into_iter().find(|(round, logo)| name(round.id(), logo) == *file).map(|(_, logo)| logo);
    let logo = logo.ok_or(Problem::new(&codes::NOT_FOUND))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, logo.media_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"))
        .body(logo.bytes.clone()))
}
