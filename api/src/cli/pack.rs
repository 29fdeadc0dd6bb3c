//! What leaves the database for others to check: the static copy of a round's log, and the auditor's pack.
//!
//! The pack is lines of JSON: a head, a line a code in the order of the public keys, a line an opened ballot,
//! a line a remark that left its ballot, an end.
//! It is confidential: it has every ballot as it was opened, and who was invited how often where.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use survey_forms::RoundFiles;

use super::{Failure, out};
use crate::access::{Actor, audit};
use crate::ballot::log::{self, LogError};
use crate::ceremony;
use crate::db::{Conn, Db};
use crate::round::{self, RoundState, Rounds};
use crate::score::Publications;

/// First member of a pack.
pub(super) const VERSION: &str = "phieu-pack/v1";
/// Ballots that are in hand at a time.
const PAGE: i64 = 2000;

/// The first line.
#[derive(Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) pack: String,
    pub(super) round: String,
    /// Of the commitment to the opened ballots; lower-case hex, empty before the opening.
    pub(super) salt: String,
    /// Group, unit, head count.
    pub(super) roster: Vec<(String, String, i64)>,
    /// The round's folder: name → base64.
    files: BTreeMap<String, String>,
}

impl Head {
    pub(super) fn files(&self) -> Result<RoundFiles, Failure> {
        let file = |(name, bytes): (&String, &String)| Ok((name.clone(), BASE64.decode(bytes.as_bytes())?));
        self.files.iter().map(file).collect()
    }
}

/// A further line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// Public key, group, unit, targets, channel; the state; the signature on use.
    Code([String; 5], String, Option<String>),
    /// A canonical ballot.
    Ballot(String),
    /// Free text, as canonical JSON.
    Remark(String),
    /// So many lines of each.
    End {
        codes: u64,
        ballots: u64,
        #[serde(default)]
        remarks: u64,
    },
}

/// Writes the static tile tree, as it stands now.
pub(super) fn write_log(db: &Db, round: &str, dir: &Path) -> Result<(), Failure> {
    fs::create_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let put = |path: &str, bytes: &[u8]| -> Result<(), Failure> {
        let path = dir.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(&path, bytes).map_err(|e| format!("{}: {e}", path.display()))?)
    };
    let head = db.read_here(|conn| {
        Rounds::new().get(conn, round)?;
        Ok::<_, Failure>(log::head(conn, round)?)
    })?;
    for tile in log::tile::Tile::all(head.checkpoint.size) {
        let body = db.read_here(|conn| log::tile(conn, round, &tile))?;
        put(&tile.path(), &body.ok_or(LogError::Damaged)?)?;
    }
    for published in db.read_here(|conn| Publications::new().releases(conn, &Rounds::new(), round))? {
        put(&format!("result/{}", published.release), &published.canonical)?;
    }
    put("vkey", format!("{}\n", head.vkey).as_bytes())?;
    // Last: a copy without it is not whole.
    put("checkpoint", head.note.as_bytes())?;
    out::note(format_args!("{} leaves; log key {}", head.checkpoint.size, head.vkey));
    Ok(())
}

/// Writes the auditor's pack to a new file for its owner's eyes only, and notes it in the audit trail.
pub(super) fn write_pack(db: &Db, round: &str, file: &Path) -> Result<(), Failure> {
    let loaded = db.read_here(|conn| Rounds::new().get(conn, round))?;
    if loaded.state < RoundState::Closed {
        return Err("the pack is made after the close".into());
    }
    let mut to = BufWriter::new(out::private_file(file)?);
    let written = db.read_here(|conn| pack(conn, round, &mut to)).and_then(|both| {
        to.flush()?;
        Ok(both)
    });
    let noted = written.and_then(|(codes, ballots)| {
        db.write_here(|conn| {
            let now = db.now(conn)?;
            let detail = format!("codes={codes} ballots={ballots}");
            audit::record(conn, now, &Actor::Command, "round.pack_exported", round, &detail)
        })?;
        out::note(format_args!("{codes} codes, {ballots} ballots; confidential, for the auditor only"));
        Ok(())
    });
    if noted.is_err() {
        // The file is ours, and nobody may have what the trail does not know of.
        let _ = fs::remove_file(file);
    }
    noted
}

fn pack(conn: &mut Conn, round: &str, to: &mut impl Write) -> Result<(u64, u64), Failure> {
    let files = round::files(conn, round)?;
    let head = Head {
        pack: VERSION.to_owned(),
        round: round.to_owned(),
        salt: HEXLOWER.encode(&ceremony::salt(conn, round)?),
        roster: log::roster(conn, round)?,
        files: files.iter().map(|(name, bytes)| (name.clone(), BASE64.encode(bytes))).collect(),
    };
    line(to, &head)?;
    let mut codes = 0;
    log::each_code(conn, round, |row| {
        codes += 1;
        let code = &row.code;
        let what = [
            HEXLOWER.encode(&code.public_key),
            code.respondent_code.clone(),
            code.source_unit.clone(),
            code.targets.clone(),
            code.channel.clone(),
        ];
        let signature = row.redeem_signature.as_ref().map(|signature| HEXLOWER.encode(signature));
        line(to, &Line::Code(what, row.state.clone(), signature))
    })?;
    let (mut ballots, mut after) = (0, Vec::new());
    loop {
        let page = ceremony::ballots(conn, round, &after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        for (_, body) in page {
            ballots += 1;
            line(to, &Line::Ballot(body))?;
        }
    }
    let (mut remarks, mut after) = (0, Vec::new());
    loop {
        let page = ceremony::remarks(conn, round, &after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        for (_, remark) in page {
            remarks += 1;
            line(to, &Line::Remark(String::from_utf8(remark.canonical(round))?))?;
        }
    }
    line(to, &Line::End { codes, ballots, remarks })?;
    Ok((codes, ballots))
}

fn line(to: &mut impl Write, value: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer(&mut *to, value)?;
    Ok(to.write_all(b"\n")?)
}
