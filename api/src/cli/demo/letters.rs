//! The demo's addressed group: invented people, of whom most hold a code already; the last ones get letters, into a folder.

use std::path::{Path, PathBuf};

use survey_forms::roster::{Invited, List, RosterRow};
use survey_forms::round::{Channel, Quota, Sources};
use survey_forms::{Round, RoundFiles};

use crate::addressee;
use crate::clock::Entropy;
use crate::credential::{self, CredentialError, IssuedCode, roster};
use crate::db::Conn;
use crate::round::LoadedRound;

/// Where the demo's letters go, in its folder.
const FOLDER: &str = "thu";
/// People who have no code yet.
const WAITING: usize = 12;

const FAMILY: [&str; 10] = ["Nguyễn", "Trần", "Lê", "Phạm", "Võ", "Đặng", "Bùi", "Hồ", "Ngô", "Huỳnh"];
const MIDDLE: [&str; 7] = ["Văn", "Thị", "Minh", "Thanh", "Quốc", "Ngọc", "Hữu"];
const GIVEN: [&str; 11] = ["An", "Bình", "Chi", "Dũng", "Giang", "Hoa", "Khánh", "Lan", "Nam", "Phúc", "Yến"];

/// The folder of letters.
pub(super) fn folder(dir: &Path) -> PathBuf {
    dir.join(FOLDER)
}

/// Whether a folder holds letters of a demo and nothing else.
pub(super) fn is_folder(path: &Path) -> bool {
    let is_letter = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.path().extension().is_some_and(|extension| extension == "eml"))
    };
    path.file_name().is_some_and(|name| name == FOLDER)
        && std::fs::read_dir(path).is_ok_and(|mut entries| entries.all(is_letter))
}

/// Lets the online group with the fewest kinds of ballots have addressed letters, at any hour; gives back its code.
pub(super) fn address(files: &mut RoundFiles, plan: &Round) -> Option<String> {
    let kinds = |code: &str| plan.assignments().iter().filter(|a| a.respondent_code == code).count();
    let fits = |group: &&survey_forms::round::Group| {
        group.channel == Channel::Online && group.quota == Quota::Roster && group.sources != Sources::None
    };
    let group = plan.groups.iter().filter(fits).min_by_key(|group| kinds(&group.code))?;
    let text = String::from_utf8(files.get("round.toml")?.clone()).ok()?;
    let head = format!("code = \"{}\"", group.code);
    let (before, after) = text.split_once(&head)?;
    let after = after.replacen("issue = \"draw\"", "issue = \"addressed\"", 1);
    let days = "[\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]";
    let letters = format!("\n[letters]\ndays = {days}\nfrom = \"00:00\"\nuntil = \"24:00\"\n");
    files.insert("round.toml".to_owned(), format!("{before}{head}{after}{letters}").into_bytes());
    Some(group.code.clone())
}

/// Invents the group's people as its head counts say, and hands codes to all but the last of them.
pub(super) fn invite(
    conn: &mut Conn,
    round: &LoadedRound,
    group: &str,
    counts: &[RosterRow],
    entropy: &Entropy,
) -> Result<Vec<IssuedCode>, CredentialError> {
    let mut people = Vec::new();
    for row in counts.iter().filter(|row| row.respondent_code == group) {
        for _ in 0..row.people {
            let number = people.len();
            let word = |words: &[&'static str], n: usize| words.get(n % words.len()).copied().unwrap_or_default();
            people.push(Invited {
                respondent_code: group.to_owned(),
                unit_code: row.unit_code.clone(),
                name: format!("{} {} {}", word(&FAMILY, number), word(&MIDDLE, number / 3), word(&GIVEN, number / 2)),
                email: Some(format!("nguoi{number}@vidu.example")),
                row: 0,
            });
        }
    }
    roster::import(conn, round, &List::People(people), entropy)?;
    let mut all = addressee::all(conn, round.id())?;
    all.truncate(all.len().saturating_sub(WAITING));
    credential::hand_out(conn, round, &all, entropy)
}
