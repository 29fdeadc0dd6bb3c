//! What stands before the data: the variables, their labels, what is missing.

use std::collections::BTreeSet;
use std::io::{Result, Write};

use super::{BIAS, Holds, SYSTEM_MISSING, Variable, cut};

/// Longest name, label of a variable, label of a value, in bytes.
const NAME_MAX: usize = 64;
const LABEL_MAX: usize = 252;
const VALUE_LABEL_MAX: usize = 120;
/// Words that no variable may be called.
const RESERVED: [&str; 13] = ["ALL", "AND", "BY", "EQ", "GE", "GT", "LE", "LT", "NE", "NOT", "OR", "TO", "WITH"];
/// UTF-8, as a Windows code page.
const UTF_8: i32 = 65001;

pub(super) fn write(out: &mut impl Write, title: &str, variables: &[Variable]) -> Result<()> {
    let width: usize = variables.iter().map(|variable| pieces(variable.holds)).sum();
    out.write_all(b"$FL2")?;
    padded(out, "@(#) SPSS DATA FILE phieu", 60)?;
    // Layout, pieces of a row, compression, no weight, rows: set at the end.
    for number in [2, whole(width), 1, 0, -1] {
        int(out, number)?;
    }
    out.write_all(&f64::from(BIAS).to_le_bytes())?;
    padded(out, "01 Jan 70", 9)?;
    padded(out, "00:00:00", 8)?;
    padded(out, title, 64)?;
    out.write_all(&[0; 3])?;
    let names = names(variables);
    let mut place = 1;
    let mut places = Vec::new();
    for (variable, number) in variables.iter().zip(1..) {
        places.push(place);
        place += pieces(variable.holds);
        write_variable(out, variable, &format!("V{number}"))?;
    }
    for (variable, place) in variables.iter().zip(&places) {
        write_values(out, variable, *place)?;
    }
    extensions(out, variables, &names)?;
    int(out, 999)?;
    int(out, 0)
}

fn write_variable(out: &mut impl Write, variable: &Variable, short: &str) -> Result<()> {
    let (kind, format) = match variable.holds {
        Holds::Text(width) => (whole(width), (1 << 16) | (whole(width) << 8)),
        Holds::Number(digits) => (0, (5 << 16) | (8 << 8) | i32::try_from(digits).unwrap_or(0)),
    };
    let missing = if variable.missing.is_some() { -2 } else { 0 };
    for number in [2, kind, 1, missing, format, format] {
        int(out, number)?;
    }
    padded(out, short, 8)?;
    let label = cut(&variable.label, LABEL_MAX);
    int(out, whole(label.len()))?;
    padded(out, label, label.len().div_ceil(4) * 4)?;
    if let Some((least, most)) = variable.missing {
        out.write_all(&f64::from(least).to_le_bytes())?;
        out.write_all(&f64::from(most).to_le_bytes())?;
    }
    for _ in 1..pieces(variable.holds) {
        for number in [2, -1, 0, 0, 0, 0] {
            int(out, number)?;
        }
        padded(out, "", 8)?;
    }
    Ok(())
}

fn write_values(out: &mut impl Write, variable: &Variable, place: usize) -> Result<()> {
    if variable.values.is_empty() {
        return Ok(());
    }
    int(out, 3)?;
    int(out, whole(variable.values.len()))?;
    for (value, label) in &variable.values {
        out.write_all(&f64::from(*value).to_le_bytes())?;
        let label = cut(label, VALUE_LABEL_MAX);
        out.write_all(&[u8::try_from(label.len()).unwrap_or(0)])?;
        padded(out, label, (label.len() + 1).div_ceil(8) * 8 - 1)?;
    }
    for number in [4, 1, whole(place)] {
        int(out, number)?;
    }
    Ok(())
}

/// Machine, floating point, how variables look, their names, the encoding.
fn extensions(out: &mut impl Write, variables: &[Variable], names: &[String]) -> Result<()> {
    for number in [7, 3, 4, 8, 1, 0, 0, -1, 1, 1, 2, UTF_8] {
        int(out, number)?;
    }
    for number in [7, 4, 8, 3] {
        int(out, number)?;
    }
    for number in [SYSTEM_MISSING, f64::MAX, SYSTEM_MISSING.next_up()] {
        out.write_all(&number.to_le_bytes())?;
    }
    for number in [7, 11, 4, whole(variables.len() * 3)] {
        int(out, number)?;
    }
    for variable in variables {
        let (measure, width, align) = match variable.holds {
            Holds::Text(width) => (1, whole(width.min(32)), 0),
            Holds::Number(_) if variable.is_ordered => (2, 8, 1),
            Holds::Number(_) if variable.values.iter().any(|(value, _)| *value > 0) => (1, 8, 1),
            Holds::Number(_) => (3, 8, 1),
        };
        for number in [measure, width, align] {
            int(out, number)?;
        }
    }
    let pairs: Vec<String> = names.iter().zip(1..).map(|(name, number)| format!("V{number}={name}")).collect();
    bytes(out, 13, pairs.join("\t").as_bytes())?;
    bytes(out, 20, b"UTF-8")
}

fn bytes(out: &mut impl Write, kind: i32, bytes: &[u8]) -> Result<()> {
    for number in [7, kind, 1, whole(bytes.len())] {
        int(out, number)?;
    }
    out.write_all(bytes)
}

/// Names that the format takes, each its own whatever its case.
fn names(variables: &[Variable]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for variable in variables {
        let plain = |c: char| if c.is_alphanumeric() || matches!(c, '.' | '_') { c } else { '_' };
        let mut name: String = variable.name.chars().map(plain).collect();
        let starts = name.chars().next().is_some_and(char::is_alphabetic);
        if !starts || RESERVED.contains(&name.to_uppercase().as_str()) {
            name.insert_str(0, "Q_");
        }
        let name = cut(&name, NAME_MAX - 4).trim_end_matches('.').to_owned();
        let own = (2..).map(|n| format!("{name}_{n}"));
        let free = [name.clone()].into_iter().chain(own).find(|name| !taken.contains(&name.to_uppercase()));
        let name = free.unwrap_or(name);
        taken.insert(name.to_uppercase());
        names.push(name);
    }
    names
}

/// Pieces of eight bytes.
pub(super) const fn pieces(holds: Holds) -> usize {
    match holds {
        Holds::Text(width) => width.div_ceil(8),
        Holds::Number(_) => 1,
    }
}

fn padded(out: &mut impl Write, text: &str, width: usize) -> Result<()> {
    let mut bytes = cut(text, width).as_bytes().to_vec();
    bytes.resize(width, b' ');
    out.write_all(&bytes)
}

fn int(out: &mut impl Write, number: i32) -> Result<()> {
    out.write_all(&number.to_le_bytes())
}

/// Sizes here are far below the limit.
fn whole(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_format_takes() {
        let of = |name: &str| Variable {
            name: name.to_owned(),
            label: String::new(),
            holds: Holds::Number(0),
            values: Vec::new(),
            missing: None,
            is_ordered: false,
        };
        let variables = ["X1.1", "x1.1", "LĐ-1", "1a", "not", "a.", "a"].map(of);
        assert_eq!(names(&variables), ["X1.1", "x1.1_2", "LĐ_1", "Q_1a", "Q_not", "a", "a_2"]);
    }
}
