//! Static files, compiled in, served under a name that carries their hash so that they may be kept for ever.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use super::codes;
use super::problem::Problem;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

const KEEP: &str = "public, max-age=31536000, immutable";

/// Scripts that stand in their pages themselves: a request less, and nothing that a slow line waits for.
const INLINE: [(&str, &str); 1] = [("respond.js", include_str!("../../assets/respond.js"))];

/// The text of a script that stands in its pages. An unknown name has none, which the tests of the pages notice.
#[must_use]
pub fn inline(name: &str) -> Option<&'static str> {
    INLINE.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// What a page's policy says so that these scripts run and no other that stands in a page (CSP 3, `hash-source`).
pub fn inline_hashes() -> impl Iterator<Item = String> {
    INLINE.iter().map(|(_, text)| format!("'sha256-{}'", data_encoding::BASE64.encode(&Sha256::digest(text))))
}

/// The path of an asset under `/assets/`: `phieu.css` → `phieu.1f3a….css`, and `desk/main.js` → `desk.1f3a…/main.js`, where
/// the hash is of all files of the folder: modules name their neighbours and stay true. An unknown name keeps its name
/// (and is then not found), which the tests of the pages notice.
#[must_use]
pub fn hashed(name: &str) -> String {
    let hex = |hash: &[u8]| data_encoding::HEXLOWER.encode(hash.get(..6).unwrap_or_default());
    let Some(file) = Files::get(name) else { return name.to_owned() };
    if let Some((folder, rest)) = name.split_once('/') {
        let mut all = Sha256::new();
        let mut names: Vec<_> =
            Files::iter().filter(|other| other.split_once('/').is_some_and(|(of, _)| of == folder)).collect();
        names.sort();
        for other in names {
            all.update(other.as_bytes());
            all.update(Files::get(&other).map(|f| f.metadata.sha256_hash()).unwrap_or_default());
        }
        return format!("{folder}.{}/{rest}", hex(&all.finalize()));
    }
    let hash = hex(&file.metadata.sha256_hash());
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{hash}.{extension}"),
        None => format!("{name}.{hash}"),
    }
}

/// `GET /assets/{file}`.
pub async fn serve(path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let asked = path.into_inner();
    let name = Files::iter().find(|name| hashed(name) == asked).ok_or(Problem::new(&codes::NOT_FOUND))?;
    let file = Files::get(&name).ok_or(Problem::new(&codes::NOT_FOUND))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, media_type(&name)))
        .insert_header((CACHE_CONTROL, KEEP))
        .body(file.data.into_owned()))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_stands_in_a_page_ends_where_it_ends() {
        for (name, text) in INLINE {
            assert!(Files::get(name).is_some_and(|file| file.data == text.as_bytes()), "{name}");
            assert!(!text.contains("</") && !text.contains("<!--") && !text.contains('\r'), "{name}");
            assert!(text.len() <= 3_000, "{name}: {} bytes", text.len());
        }
        assert!(inline_hashes().all(|hash| hash.len() == "'sha256-'".len() + 44));
        assert!(inline("phieu.css").is_none());
    }
}
