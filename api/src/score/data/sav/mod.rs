//! The wide table as an SPSS system file (`.sav`), which SPSS, PSPP, R (`haven`) and Python (`pyreadstat`) read. Written
//! after the description of the format in the PSPP developers' guide; the data part is compressed by bytecode.
//!
//! An option is its place in the list, from 1, with its label; whatever counts for nothing is below zero and declared
//! missing. The file says no time: its date of creation is always the same.

mod dictionary;

use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom, Write};

use survey_forms::Round;
use survey_forms::answers::{Answer, Mark};

use super::columns::{Column, Columns, KEYS, Kind, Row, text};
use crate::score::ScoreError;

/// A number that stands for none: the group is not asked.
const SYSTEM_MISSING: f64 = f64::MIN;
/// Added to a number that fits one byte.
const BIAS: i32 = 100;
/// Of nothing answered online.
const ABSENT: i32 = -9;
/// Where a numeric answer may itself be below zero, what is missing is so far below.
const FAR: i32 = -9_000_000;
/// Longest text of a variable; longer ones take another kind of record.
const TEXT_MAX: usize = 255;
/// Place of the number of rows in the file.
const CASES_AT: u64 = 80;

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// So many bytes of text.
    Text(usize),
    /// A number with so many digits behind the point.
    Number(u32),
}

/// A variable of the file.
struct Variable {
    /// What analysts call it.
    name: String,
    label: String,
    holds: Holds,
    values: Vec<(i32, String)>,
    /// All numbers from the first to the second are missing.
    missing: Option<(i32, i32)>,
    is_ordered: bool,
}

/// How a column's answers become numbers.
enum Coding {
    Text,
    /// Numbers as they are; what is missing lies so far below zero.
    Number(i32),
    /// By the option's code.
    Options(BTreeMap<String, i32>),
}

/// Writes the file; [`Sav::end`] makes it whole.
pub struct Sav<W: Write + Seek> {
    out: W,
    codings: Vec<Coding>,
    texts: [usize; 5],
    asked: BTreeMap<String, Vec<bool>>,
    code: Bytecode,
    cases: u32,
}

impl<W: Write + Seek> Sav<W> {
    /// Begins with the description of the variables.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn new(mut out: W, columns: &Columns<'_>) -> Result<Self, ScoreError> {
        let round = columns.round;
        let texts = widths(round);
        let mut variables: Vec<Variable> = KEYS
            .into_iter()
            .zip([Some(0), Some(1), Some(2), Some(3), None, Some(4)])
            .map(|(key, text)| Variable {
                name: key.to_owned(),
                label: super::codebook::key_label(key).to_owned(),
                holds: match text.and_then(|text: usize| texts.get(text)) {
                    Some(width) => Holds::Text(*width),
                    None => Holds::Number(digits(round)),
                },
                values: Vec::new(),
                missing: None,
                is_ordered: false,
            })
            .collect();
        let mut codings = Vec::new();
        for column in &columns.items {
            let (variable, coding) = of_column(round, column);
            variables.push(variable);
            codings.push(coding);
        }
        dictionary::write(&mut out, &round.title, &variables)?;
        let asks = |form: &survey_forms::questionnaire::Questionnaire| {
            columns.items.iter().map(|column| form.item(column.code).is_some()).collect()
        };
        let asked = round.questionnaires.iter().map(|form| (form.respondent_code.clone(), asks(form))).collect();
        Ok(Self { out, codings, texts, asked, code: Bytecode::default(), cases: 0 })
    }

    /// One more row.
    ///
    /// # Errors
    /// As [`Sav::new`].
    pub fn write(&mut self, row: &Row<'_>) -> Result<(), ScoreError> {
        let [id, group, targets, target, weight, void] = row.keys();
        let [id_width, group_width, targets_width, target_width, void_width] = self.texts;
        for (text, width) in [(id, id_width), (group, group_width), (targets, targets_width), (target, target_width)] {
            self.code.text(&mut self.out, text, width)?;
        }
        self.code.number(&mut self.out, weight)?;
        self.code.text(&mut self.out, void, void_width)?;
        let asked = self.asked.get(group);
        for (at, (answer, coding)) in row.answers.iter().zip(&self.codings).enumerate() {
            let is_asked = asked.and_then(|asked| asked.get(at)).copied().unwrap_or(false);
            let out = &mut self.out;
            match (coding, answer) {
                (Coding::Text, answer) => self.code.text(out, &answer.map(text).unwrap_or_default(), TEXT_MAX),
                (_, None) if !is_asked => self.code.put(out, Bytecode::MISSING, &[]),
                (Coding::Number(below), Some(Answer::Mark(mark))) => self.code.whole(out, below + mark_code(*mark)),
                (Coding::Number(below), None) => self.code.whole(out, below + ABSENT),
                (Coding::Number(_), Some(answer)) => self.code.number(out, &text(answer)),
                (Coding::Options(_), Some(Answer::Mark(mark))) => self.code.whole(out, mark_code(*mark)),
                (Coding::Options(_), None) => self.code.whole(out, ABSENT),
                (Coding::Options(codes), Some(answer)) => match codes.get(&text(answer)) {
                    Some(code) => self.code.whole(out, *code),
                    None => self.code.put(out, Bytecode::MISSING, &[]),
                },
            }?;
        }
        self.cases = self.cases.saturating_add(1);
        Ok(())
    }

    /// Nothing more follows: the number of rows is set.
    ///
    /// # Errors
    /// As [`Sav::new`].
    pub fn end(mut self) -> Result<(), ScoreError> {
        self.code.end(&mut self.out)?;
        self.out.seek(SeekFrom::Start(CASES_AT))?;
        self.out.write_all(&i32::try_from(self.cases).unwrap_or(-1).to_le_bytes())?;
        Ok(self.out.flush()?)
    }
}

const fn mark_code(mark: Mark) -> i32 {
    match mark {
        Mark::Blank => -1,
        Mark::Several => -2,
        Mark::Illegible => -3,
    }
}

/// Widest id, group, targets, target, reason.
fn widths(round: &Round) -> [usize; 5] {
    let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(1).clamp(1, TEXT_MAX);
    let targets = round.assignments().into_iter().map(|assignment| assignment.targets.join("+").len());
    [
        32,
        widest(&mut round.groups.iter().map(|group| group.code.len())),
        widest(&mut targets.into_iter()),
        widest(&mut round.targets.iter().map(|target| target.code.len())),
        super::codebook::TOO_FEW.0.len(),
    ]
}

/// Digits behind the point of the weights.
fn digits(round: &Round) -> u32 {
    let of = |group: &survey_forms::round::Group| {
        let text = survey_forms::ratio::to_exact(&group.weight);
        text.split_once('.').map_or(0, |(_, digits)| digits.len())
    };
    round.groups.iter().map(of).max().and_then(|most| u32::try_from(most).ok()).unwrap_or(0)
}

fn of_column(round: &Round, column: &Column<'_>) -> (Variable, Coding) {
    let marks = |below: i32| {
        let paper = Mark::ALL.into_iter().filter(|_| column.is_on_paper(round));
        let marks = paper.map(move |mark| (below + mark_code(mark), super::codebook::mark_label(mark).to_owned()));
        marks.chain([(below + ABSENT, "Không trả lời".to_owned())]).collect::<Vec<_>>()
    };
    let variable = |holds, values, missing| Variable {
        name: column.code.to_owned(),
        label: format!("{} {}", column.code, column.label(round)),
        holds,
        values,
        missing,
        is_ordered: column.kind == Kind::Scale,
    };
    match column.kind {
        Kind::Multiple | Kind::Mixed => (variable(Holds::Text(TEXT_MAX), Vec::new(), None), Coding::Text),
        Kind::Number(digits) => {
            let below = if may_be_negative(column) { FAR } else { 0 };
            let missing = Some((below + ABSENT, below + mark_code(Mark::Blank)));
            (variable(Holds::Number(digits), marks(below), missing), Coding::Number(below))
        }
        Kind::Scale | Kind::Single => {
            let mut codes = BTreeMap::new();
            let mut values = Vec::new();
            for (choice, place) in column.options.iter().zip(1_i32..) {
                let code = if choice.excluded { ABSENT - 1 - place } else { place };
                codes.insert(choice.code.to_owned(), code);
                values.push((code, format!("{}: {}", choice.code, choice.label())));
            }
            let least = values.iter().map(|(code, _)| *code).min().unwrap_or(ABSENT).min(ABSENT);
            values.extend(marks(0));
            (variable(Holds::Number(0), values, Some((least, -1))), Coding::Options(codes))
        }
    }
}

/// Whether a number below zero may be an answer.
fn may_be_negative(column: &Column<'_>) -> bool {
    use survey_forms::questionnaire::ItemKind;
    let zero = survey_forms::ratio::whole(0);
    column.asked.iter().any(|(_, item)| match &item.kind {
        ItemKind::Number { min, .. } => min.as_ref().is_none_or(|min| *min < zero),
        _ => false,
    })
}

/// The compressed data part: eight codes, then what they could not say.
#[derive(Default)]
struct Bytecode {
    codes: Vec<u8>,
    literals: Vec<u8>,
}

impl Bytecode {
    const END: u8 = 252;
    const LITERAL: u8 = 253;
    const SPACES: u8 = 254;
    const MISSING: u8 = 255;

    fn put(&mut self, out: &mut impl Write, code: u8, literal: &[u8]) -> std::io::Result<()> {
        self.codes.push(code);
        self.literals.extend_from_slice(literal);
        if self.codes.len() == 8 { self.write(out) } else { Ok(()) }
    }

    fn write(&mut self, out: &mut impl Write) -> std::io::Result<()> {
        out.write_all(&self.codes)?;
        out.write_all(&self.literals)?;
        self.codes.clear();
        self.literals.clear();
        Ok(())
    }

    /// A number of a list, a missing one, or any that fits a byte.
    fn whole(&mut self, out: &mut impl Write, number: i32) -> std::io::Result<()> {
        match u8::try_from(number + BIAS).ok().filter(|code| (1..Self::END).contains(code)) {
            Some(code) => self.put(out, code, &[]),
            None => self.put(out, Self::LITERAL, &f64::from(number).to_le_bytes()),
        }
    }

    /// A number as an answer or a weight has it.
    fn number(&mut self, out: &mut impl Write, text: &str) -> std::io::Result<()> {
        match (text.parse::<i32>(), text.parse::<f64>()) {
            (Ok(number), _) => self.whole(out, number),
            (_, Ok(number)) => self.put(out, Self::LITERAL, &number.to_le_bytes()),
            _ => self.put(out, Self::MISSING, &[]),
        }
    }

    /// Text in pieces of eight bytes, spaces behind it.
    fn text(&mut self, out: &mut impl Write, text: &str, width: usize) -> std::io::Result<()> {
        let mut bytes = cut(text, width).as_bytes().to_vec();
        bytes.resize(width.div_ceil(8) * 8, b' ');
        bytes.chunks(8).try_for_each(|piece| {
            if piece.iter().all(|byte| *byte == b' ') {
                self.put(out, Self::SPACES, &[])
            } else {
                self.put(out, Self::LITERAL, piece)
            }
        })
    }

    fn end(&mut self, out: &mut impl Write) -> std::io::Result<()> {
        self.put(out, Self::END, &[])?;
        if !self.codes.is_empty() {
            self.codes.resize(8, 0);
            self.write(out)?;
        }
        Ok(())
    }
}

/// As much of a text as fits so many bytes, in whole characters.
fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
