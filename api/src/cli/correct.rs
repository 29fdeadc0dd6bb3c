//! `phieu round correct`.

use clap::Args;
use survey_forms::scoring::LeftOut;

use super::{Failure, out, round};
use crate::access::Actor;
use crate::ceremony::Draft;
use crate::config::Config;

#[derive(Args)]
pub(super) struct Options {
    /// Id of the round.
    round: String,
    /// Why, for everybody to read: 20 to 2000 characters.
    #[arg(long)]
    reason: String,
    /// Answers that do not count, seen from the box: `group=CC-CT,target=SNV,item=X1.1`, of which any may be missing.
    /// May be given several times.
    #[arg(long, value_name = "RANGE", value_parser = range)]
    leave_out: Vec<LeftOut>,
}

fn range(text: &str) -> Result<LeftOut, String> {
    let mut range = LeftOut::default();
    for part in text.split(',') {
        let (name, code) = part.split_once('=').ok_or("a range is group=…,target=…,item=…")?;
        let place = match name.trim() {
            "group" => &mut range.respondent_code,
            "target" => &mut range.target,
            "item" => &mut range.item_code,
            other => return Err(format!("{other}: a range names group, target, item")),
        };
        if place.replace(code.trim().to_owned()).is_some() {
            return Err(format!("{} is named twice", name.trim()));
        }
    }
    Ok(range)
}

/// Whoever runs commands on the server proposes; the second person is one of the staff, on the pages.
pub(super) fn run(options: &Options, config: &Config) -> Result<(), Failure> {
    let base = config.base()?;
    let draft = Draft { reason: options.reason.clone(), left_out: options.leave_out.clone() };
    let proposal = round::ceremony(config)?.propose_release(&Actor::Command, &options.round, &draft)?;
    out::line(format_args!("proposed\t{}\nrelease\t{}\ndigest\t{}", proposal.id, proposal.release, proposal.digest));
    let page = base.url(&format!("/quan-tri/cong-bo/{}", proposal.round));
    out::note(format_args!("nothing is released yet: one of the staff confirms this digest at {page}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_and_what_is_none_is_refused() {
        let read = range("group=CC-CT, target=SNV").unwrap();
        assert_eq!(
            (read.respondent_code.as_deref(), read.target.as_deref(), read.item_code),
            (Some("CC-CT"), Some("SNV"), None)
        );
        for bad in ["CC-CT", "nhom=CC-CT", "group=a,group=b", ""] {
            assert!(range(bad).is_err(), "{bad}");
        }
    }
}
