//! A logo is a file of the folder that only draws.

use super::*;

const STILL: &str =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\"><path fill=\"url(#a)\" d=\"M0 0h8\"/></svg>";

fn checked(name: &str, bytes: &[u8]) -> Checked {
    let mut files = quang_nam_2023();
    let text = String::from_utf8(files["round.toml"].clone()).unwrap();
    let text = text.replacen("[organiser]", &format!("[organiser]\nlogo = \"{name}\""), 1);
    files.insert("round.toml".to_owned(), text.into_bytes());
    if !bytes.is_empty() {
        files.insert(name.to_owned(), bytes.to_vec());
    }
    Round::check(&files)
}

#[test]
fn a_still_picture_is_part_of_the_round() {
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[0; 3_000]].concat();
    for (name, bytes, media) in [("logo.svg", STILL.as_bytes(), "image/svg+xml"), ("dau.png", &png, "image/png")] {
        let checked = checked(name, bytes);
        let heavy = checked.faults.iter().any(|f| f.code == "logo_heavy" && f.severity == Severity::Warning);
        assert_eq!(heavy, bytes.len() > 2_048);
        let round = checked.round.unwrap();
        let logo = round.organiser.logo.as_ref().unwrap();
        assert_eq!((&*logo.file, logo.media_type, &*logo.bytes), (name, media, bytes));
        assert_ne!(round.hash, plan().hash, "the rules hash holds the logo's");
    }
}

#[test]
fn what_could_do_more_than_draw_is_refused_with_its_place() {
    let with = |inside: &str| STILL.replace("<path", &format!("\n{inside}<path"));
    let on_line_two = [
        "<SCRIPT>x</SCRIPT>",
        "<g onload=\"x\"/>",
        "<g a=\"b\"onclick = 'x'/>",
        "<use href=\"https://evil.example/a.svg#b\"/>",
        "<use xlink:href = 'data:image/svg+xml,x'/>",
        "<g style=\"fill:url(//evil.example/a)\"/>",
        "<style>@import 'x'</style>",
        "<g style=\"fill:u\\72l(x)\"/>",
        "<use href=\"&#104;ttps://evil.example\"/>",
        "<!DOCTYPE svg>",
        "<foreignObject/>",
        "<animate attributeName=\"href\"/>",
    ];
    for inside in on_line_two {
        let checked = checked("logo.svg", with(inside).as_bytes());
        assert!(checked.round.is_none(), "{inside}");
        let named = checked.faults.iter().any(|f| {
            (f.severity, &*f.file, &*f.place, f.code) == (Severity::Error, "logo.svg", "line 2", "logo_active")
        });
        assert!(named, "{inside}: {:#?}", checked.faults);
    }
    for (name, bytes, file, code) in [
        ("logo.gif", b"GIF89a".as_slice(), "round.toml", "logo_name"),
        ("../logo.svg", STILL.as_bytes(), "round.toml", "logo_name"),
        ("logo.svg", b"", "logo.svg", "file_missing"),
        ("logo.svg", b"hello", "logo.svg", "logo_svg"),
        ("logo.svg", b"<svg>\xff</svg>", "logo.svg", "not_utf8"),
        ("logo.png", STILL.as_bytes(), "logo.png", "logo_png"),
        ("logo.svg", &[b' '; 20_001], "logo.svg", "logo_too_big"),
    ] {
        let checked = checked(name, bytes);
        let named = checked.faults.iter().any(|f| (f.severity, &*f.file, f.code) == (Severity::Error, file, code));
        assert!(checked.round.is_none() && named, "{name}: {:#?}", checked.faults);
    }
}
