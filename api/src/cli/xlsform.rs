//! `phieu round import-xlsform` and `export-xlsform`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use survey_forms::xlsform::{self, Asked};
use survey_forms::{Round, RoundFiles, Severity};

use super::{Failure, out, round};

#[derive(Args)]
pub(super) struct ImportOptions {
    /// The form, an .xlsx file.
    file: PathBuf,
    /// Code of the group that the questionnaire is for.
    #[arg(long)]
    group: String,
    /// A round's folder, or a new one for the files alone. Nothing that is there is overwritten.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write what fits even if a question, a condition or a limit is lost.
    #[arg(long)]
    take_what_fits: bool,
    /// The language whose texts stand as the Vietnamese ones, as the form names it.
    #[arg(long, value_name = "NAME")]
    main_language: Option<String>,
}

#[derive(Args)]
pub(super) struct ExportOptions {
    /// The round's folder.
    dir: PathBuf,
    /// Code of the group whose questionnaire it is.
    #[arg(long)]
    group: String,
    /// The new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn import(options: &ImportOptions) -> Result<(), Failure> {
    let shown = options.file.display();
    let size = std::fs::metadata(&options.file).map_err(|e| format!("{shown}: {e}"))?.len();
    if usize::try_from(size).is_ok_and(|size| size > xlsform::FILE_BYTES_MAX) {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        return Err(format!("{shown}: {}", xlsform::NotRead::TooBig(size)).into());
    }
    let bytes = std::fs::read(&options.file).map_err(|e| format!("{shown}: {e}"))?;
    let stem = options.file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let asked = Asked { group: &options.group, title: stem, main_language: options.main_language.as_deref() };
    let imported = xlsform::import(&bytes, asked).map_err(|e| format!("{shown}: {e}"))?;
    for fault in &imported.faults {
        out::line(fault);
    }
    let form = &imported.questionnaire;
    let items = form.items().count();
    out::line(format_args!("taken: {items} questions in {} sections", form.sections.len()));
    if !imported.scales.is_empty() || !imported.choices.is_empty() {
        let (scales, lists) = (imported.scales.len(), imported.choices.len());
        out::line(format_args!("taken: {scales} scales (with percents) and {lists} lists of choices (not scored)"));
    }
    let lost = imported.faults.iter().filter(|fault| fault.severity == Severity::Error).count();
    if items == 0 {
        return Err(format!("{shown}: no question was taken; nothing was written").into());
    }
    if lost > 0 && !options.take_what_fits {
        let why = "nothing was written. Mend the form, or add --take-what-fits to do without them";
        return Err(format!("{shown}: {lost} things are lost; {why}").into());
    }
    write(&options.out, &imported)
}

fn write(dir: &Path, imported: &xlsform::Imported) -> Result<(), Failure> {
    let there = if dir.exists() { round::read_folder(dir)? } else { RoundFiles::new() };
    let merged = match xlsform::merge(&there, imported) {
        Ok(merged) => merged,
        Err(faults) => {
            for fault in &faults {
                out::line(fault);
            }
            return Err(
                format!("{}: {} things are there already; nothing was written", dir.display(), faults.len()).into()
            );
        }
    };
    for (path, bytes) in &merged.files {
        let target = dir.join(path);
        let folder = target.parent().unwrap_or(dir);
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        // A table that is there is replaced whole or not at all.
        let draft = target.with_extension("new");
        std::fs::write(&draft, bytes).map_err(|e| format!("{}: {e}", draft.display()))?;
        std::fs::rename(&draft, &target).map_err(|e| format!("{}: {e}", target.display()))?;
        out::line(format_args!("written: {}", target.display()));
    }
    for same in &merged.same {
        out::line(format_args!("there already, the same: {same}"));
    }
    if !imported.languages.is_empty() {
        out::line("round.toml must name these languages:");
        for language in &imported.languages {
            out::line(format_args!("[[languages]]\ncode = {:?}\nname = {:?}", language.code, language.name));
        }
    }
    Ok(())
}

pub(super) fn export(options: &ExportOptions) -> Result<(), Failure> {
    let shown = options.dir.display();
    let checked = Round::check(&round::read_folder(&options.dir)?);
    let Some(round) = checked.round else {
        for fault in &checked.faults {
            out::line(fault);
        }
        return Err(format!("{shown}: mend these faults first").into());
    };
    let form = round.questionnaires.iter().find(|form| form.respondent_code == options.group);
    let Some(form) = form else {
        let known: Vec<&str> = round.questionnaires.iter().map(|form| form.respondent_code.as_str()).collect();
        return Err(format!("{shown}: no questionnaire for {}; there are: {}", options.group, known.join(", ")).into());
    };
    let bytes = xlsform::export(form, &round.scales, &round.choices, &round.languages, &round.translations)?;
    let target = options.out.display();
    let mut file = File::create_new(&options.out).map_err(|e| format!("{target}: {e}"))?;
    file.write_all(&bytes).map_err(|e| format!("{target}: {e}"))?;
    out::line(format_args!("written: {target}, {} questions", form.items().count()));
    Ok(())
}
