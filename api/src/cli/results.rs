//! `phieu rates`, `phieu scores`.

use clap::{Args, ValueEnum};
use survey_forms::scoring::ScoreDocument;

use super::again::{self, From};
use super::{Failure, open, out};
use crate::config::Config;
use crate::monitor;
use crate::round::Rounds;
use crate::score::export::For;
use crate::score::{self, Publications};

/// How figures are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// The published document.
    Json,
    /// For spreadsheets and scripts.
    Csv,
}

#[derive(Args)]
pub(super) struct ScoreOptions {
    /// Id of the round, whose published scores are printed; none with `--from`.
    #[arg(value_name = "ROUND", required_unless_present = "from", conflicts_with = "from")]
    id: Option<String>,
    /// How to print them.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    from: From,
}

pub(super) fn rates(round: &str, config: &Config) -> Result<(), Failure> {
    let db = open(config)?;
    let rates = db.read_here(|conn| {
        let round = Rounds::new().get(conn, round)?;
        Ok::<_, Failure>(monitor::rates(&db, conn, &round)?)
    })?;
    let row = |name: &str, count: &monitor::Count| {
        let rate = count.rate().map_or_else(|| "-".to_owned(), |r| format!("{r} %"));
        out::line(format_args!("{name:<12} issued {:>6}  returned {:>6}  {rate:>8}", count.issued, count.returned));
    };
    row("total", &rates.total);
    for (group, count) in rates.groups.iter().chain(&rates.channels) {
        row(group, count);
    }
    out::line(format_args!("as of {}", crate::clock::local(rates.as_of).format("%Y-%m-%d %H:%M:%S %:z")));
    Ok(())
}

pub(super) fn scores(
    options: &ScoreOptions,
    settings: impl FnOnce() -> Result<Config, Failure>,
) -> Result<(), Failure> {
    if let Some(again) = again::document(&options.from)? {
        let canonical = again.document.canonical();
        print(options.format, &again.document, &canonical)?;
        return again.verdict();
    }
    let db = open(&settings()?)?;
    let round = options.id.as_deref().unwrap_or_default();
    let published = db.read_here(|conn| Publications::new().latest(conn, &Rounds::new(), round))?;
    print(options.format, &published.document, &published.canonical)
}

fn print(format: Format, document: &ScoreDocument, canonical: &[u8]) -> Result<(), Failure> {
    match format {
        Format::Json => out::line(String::from_utf8_lossy(canonical)),
        Format::Csv => score::export::scores(std::io::stdout().lock(), document, For::Program)?,
        Format::Table => {
            for target in &document.targets {
                let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
                out::line(format_args!(
                    "{:<10} {:>4}  {:<8} {:>7} of {:>6}  {:>7} %",
                    target.kind,
                    target.rank.map_or_else(|| "-".to_owned(), |r| r.to_string()),
                    target.target,
                    or_dash(&target.survey_points),
                    target.max_points,
                    or_dash(&target.percent),
                ));
            }
        }
    }
    Ok(())
}
