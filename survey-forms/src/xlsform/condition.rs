//! What an expression means here: conditions on earlier answers, and limits of an answer.

use std::collections::BTreeMap;

use num_traits::One as _;

use super::expression::{Expression, Operator};
use super::workbook::short;
use crate::questionnaire::{Condition, Holds};
use crate::ratio::{self, Ratio};

/// An item that a condition may look back at.
#[derive(Debug, Clone)]
pub(super) struct Earlier {
    /// Its code here.
    pub(super) code: String,
    pub(super) answer: Answer,
}

/// What its answer can be. Options: name there, code here.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    One(Vec<(String, String)>),
    Many(Vec<(String, String)>),
    Number { decimals: u32 },
    Text,
}

/// What a name in an expression stands for, at one row of the form.
pub(super) struct Names<'a> {
    /// Items taken so far, by their name there.
    pub(super) earlier: &'a BTreeMap<String, Earlier>,
    /// The rows of all names of the form.
    pub(super) rows: &'a BTreeMap<String, u32>,
    /// The row that the expression stands in.
    pub(super) here: u32,
}

/// Why an expression has no meaning here: the end of a sentence.
pub(super) type Why = String;

impl Names<'_> {
    fn find(&self, name: &str) -> Result<&Earlier, Why> {
        if let Some(found) = self.earlier.get(name) {
            return Ok(found);
        }
        let shown = short(name);
        Err(match self.rows.get(name) {
            None => format!("no row is named {shown}"),
            Some(row) if *row == self.here => format!("{shown} waits for its own answer"),
            Some(row) if *row > self.here => {
                format!("{shown} stands below, in row {row}, and a condition may only look back")
            }
            Some(row) => format!("{shown} (row {row}) is no question that was taken"),
        })
    }
}

/// The conditions of a `relevant`; none for `true()`.
pub(super) fn conditions(expression: &Expression, names: &Names) -> Result<Vec<Condition>, Why> {
    match expression {
        Expression::All(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(conditions(part, names)?);
            }
            Ok(all)
        }
        Expression::Call(name, arguments) if name == "true" && arguments.is_empty() => Ok(Vec::new()),
        // What stands in parentheses is one condition if it can be one.
        Expression::Group(inner) => match fold(inner, names) {
            Ok(one) => Ok(vec![one]),
            Err(_why) => conditions(inner, names),
        },
        _ => Ok(vec![fold(expression, names)?]),
    }
}

/// The limits of a number: least and greatest.
pub(super) fn bounds(expression: &Expression, decimals: u32) -> Result<(Option<Ratio>, Option<Ratio>), Why> {
    match fold_own(expression, Answer::Number { decimals })?.holds {
        Holds::Between { at_least, at_most } => Ok((at_least, at_most)),
        _ => Err("only bounds such as . >= 0 and . <= 120 are taken".to_owned()),
    }
}

/// The greatest length or number of choices that `NAME(.) <= n` allows.
pub(super) fn most(expression: &Expression, function: &str) -> Result<u32, Why> {
    let why = || format!("only {function}(.) <= a whole number is taken");
    let Expression::Compare(operator, left, right) = plain(expression) else { return Err(why()) };
    let (operator, call, number) = match (plain(left), plain(right)) {
        (Expression::Call(name, arguments), Expression::Number(number)) => (*operator, (name, arguments), number),
        (Expression::Number(number), Expression::Call(name, arguments)) => {
            (operator.turned(), (name, arguments), number)
        }
        _ => return Err(why()),
    };
    let own = matches!(call.1.as_slice(), [Expression::Answer(name)] if name.is_empty());
    let number: u32 = number.parse().ok().ok_or_else(why)?;
    match operator {
        _ if call.0 != function || !own => Err(why()),
        Operator::AtMost => Ok(number),
        Operator::Less => number.checked_sub(1).ok_or_else(why),
        _ => Err(why()),
    }
}

/// A condition on `.`, the row's own answer.
fn fold_own(expression: &Expression, answer: Answer) -> Result<Condition, Why> {
    let own = BTreeMap::from([(String::new(), Earlier { code: String::new(), answer })]);
    fold(expression, &Names { earlier: &own, rows: &BTreeMap::new(), here: 0 })
}

fn plain(expression: &Expression) -> &Expression {
    match expression {
        Expression::Group(inner) => plain(inner),
        other => other,
    }
}

/// One condition on one item.
fn fold(expression: &Expression, names: &Names) -> Result<Condition, Why> {
    match expression {
        Expression::Group(inner) => fold(inner, names),
        Expression::All(parts) => joined(parts, names, |held, more| match (held, more) {
            (Holds::IsNot(mut held), Holds::IsNot(more)) => {
                held.extend(more);
                Ok(Holds::IsNot(held))
            }
            (Holds::Between { at_least: least, at_most: most }, Holds::Between { at_least, at_most }) => {
                Ok(Holds::Between {
                    at_least: if least.is_some() && at_least.is_some() {
                        least.max(at_least)
                    } else {
                        least.or(at_least)
                    },
                    at_most: if most.is_some() && at_most.is_some() { most.min(at_most) } else { most.or(at_most) },
                })
            }
            _ => Err("it joins by \"and\" what cannot be one condition".to_owned()),
        }),
        Expression::Any(parts) => joined(parts, names, |held, more| match (held, more) {
            (Holds::Is(mut held), Holds::Is(more)) => {
                held.extend(more);
                Ok(Holds::Is(held))
            }
            _ => Err("\"or\" may only join options of one question".to_owned()),
        }),
        Expression::Compare(operator, left, right) => compare(*operator, plain(left), plain(right), names),
        Expression::Call(name, arguments) => call(name, arguments, names),
        Expression::Answer(_) | Expression::Text(_) | Expression::Number(_) => Err("it compares nothing".to_owned()),
    }
}

fn joined(
    parts: &[Expression],
    names: &Names,
    join: impl Fn(Holds, Holds) -> Result<Holds, Why>,
) -> Result<Condition, Why> {
    let mut whole: Option<Condition> = None;
    for part in parts {
        let more = fold(part, names)?;
        whole = Some(match whole {
            None => more,
            Some(held) if held.item == more.item => Condition { item: held.item, holds: join(held.holds, more.holds)? },
            Some(_) => return Err("\"or\" may only join options of one question".to_owned()),
        });
    }
    let mut whole = whole.ok_or_else(|| "it is empty".to_owned())?;
    if let Holds::Is(options) | Holds::IsNot(options) = &mut whole.holds {
        let mut seen = std::collections::BTreeSet::new();
        options.retain(|option| seen.insert(option.clone()));
    }
    Ok(whole)
}

fn call(name: &str, arguments: &[Expression], names: &Names) -> Result<Condition, Why> {
    match (name, arguments) {
        ("not", [inner]) => {
            let Condition { item, holds } = fold(inner, names)?;
            let holds = match holds {
                Holds::Is(options) => Holds::IsNot(options),
                Holds::IsNot(options) => Holds::Is(options),
                Holds::Answered(truth) => Holds::Answered(!truth),
                Holds::Between { .. } => return Err("not() of a number is not taken: turn the comparison".to_owned()),
            };
            Ok(Condition { item, holds })
        }
        ("selected", [Expression::Answer(name), Expression::Text(option) | Expression::Number(option)]) => {
            let earlier = names.find(name)?;
            match &earlier.answer {
                Answer::One(options) | Answer::Many(options) => {
                    Ok(of(earlier, Holds::Is(vec![option_code(name, options, option)?])))
                }
                _ => Err(format!("{} has no choices", short(name))),
            }
        }
        _ => Err(format!("it uses {}()", short(name))),
    }
}

fn of(earlier: &Earlier, holds: Holds) -> Condition {
    Condition { item: earlier.code.clone(), holds }
}

fn option_code(name: &str, options: &[(String, String)], option: &str) -> Result<String, Why> {
    let same = |(other, _): &&(String, String)| other == option;
    let equal = |(other, _): &&(String, String)| {
        ratio::parse(other).is_some_and(|other| ratio::parse(option).is_some_and(|option| option == other))
    };
    let found = options.iter().find(same).or_else(|| options.iter().find(equal));
    found.map(|(_, code)| code.clone()).ok_or_else(|| format!("{} has no choice {}", short(name), short(option)))
}

fn compare(operator: Operator, left: &Expression, right: &Expression, names: &Names) -> Result<Condition, Why> {
    let literal = |expression: &Expression| matches!(expression, Expression::Text(_) | Expression::Number(_));
    if literal(left) && !literal(right) {
        return compare(operator.turned(), right, left, names);
    }
    let (Expression::Text(value) | Expression::Number(value)) = right else {
        return Err("it compares with something that is no fixed value".to_owned());
    };
    match left {
        Expression::Answer(name) => answer(operator, name, names.find(name)?, value),
        Expression::Call(function, arguments) if matches!(function.as_str(), "string-length" | "count-selected") => {
            let [Expression::Answer(name)] = arguments.as_slice() else {
                return Err(format!("it uses {function}() of no question"));
            };
            let answered = match (operator, value.as_str()) {
                (Operator::Greater | Operator::Unequal, "0") | (Operator::AtLeast, "1") => true,
                (Operator::Equal | Operator::AtMost, "0") | (Operator::Less, "1") => false,
                _ => return Err(format!("it counts with {function}()")),
            };
            let earlier = names.find(name)?;
            match earlier.answer {
                Answer::Text => Err(free_text(name)),
                _ => Ok(of(earlier, Holds::Answered(answered))),
            }
        }
        Expression::Call(function, _) => Err(format!("it uses {}()", short(function))),
        _ => Err("it compares no answer".to_owned()),
    }
}

/// Free text is parted from its ballot when the box is opened, so that nobody can be known by a word of theirs.
fn free_text(name: &str) -> Why {
    format!("{} is free text, which is parted from its ballot, so that nothing may depend on it", short(name))
}

fn answer(operator: Operator, name: &str, earlier: &Earlier, value: &str) -> Result<Condition, Why> {
    let holds = match (&earlier.answer, operator) {
        (Answer::Text, _) => return Err(free_text(name)),
        (_, Operator::Equal) if value.is_empty() => Holds::Answered(false),
        (_, Operator::Unequal) if value.is_empty() => Holds::Answered(true),
        (Answer::One(options), Operator::Equal) => Holds::Is(vec![option_code(name, options, value)?]),
        (Answer::One(options), Operator::Unequal) => Holds::IsNot(vec![option_code(name, options, value)?]),
        (Answer::One(options), _) => {
            let bound = ratio::parse(value).ok_or_else(|| format!("{} is no number", short(value)))?;
            let within = |(other, _): &&(String, String)| {
                ratio::parse(other).is_some_and(|other| match operator {
                    Operator::Less => other < bound,
                    Operator::AtMost => other <= bound,
                    Operator::Greater => other > bound,
                    _ => other >= bound,
                })
            };
            let codes: Vec<String> = options.iter().filter(within).map(|(_, code)| code.clone()).collect();
            if codes.is_empty() {
                return Err(format!("no choice of {} is a number like that", short(name)));
            }
            Holds::Is(codes)
        }
        (Answer::Many(_), _) => {
            return Err(format!(
                "{} takes several choices: write selected(${{{}}}, '{}')",
                short(name),
                short(name),
                short(value)
            ));
        }
        (Answer::Number { decimals }, _) => {
            let number =
                ratio::parse(value).ok_or_else(|| format!("{} is no number of at most nine digits", short(value)))?;
            number_holds(operator, number, *decimals)?
        }
    };
    Ok(of(earlier, holds))
}

/// Bounds are inclusive here, so that a strict one moves by the last digit that an answer may have.
fn number_holds(operator: Operator, number: Ratio, decimals: u32) -> Result<Holds, Why> {
    let grid = Ratio::from_integer(num_bigint::BigInt::from(10_u32).pow(decimals));
    let one = Ratio::one();
    let scaled = &number * &grid;
    let (at_least, at_most) = match operator {
        Operator::Equal => (Some(number.clone()), Some(number)),
        Operator::AtLeast => (Some(number), None),
        Operator::AtMost => (None, Some(number)),
        Operator::Greater => (Some((scaled.floor() + one) / grid), None),
        Operator::Less => (None, Some((scaled.ceil() - one) / grid)),
        Operator::Unequal => return Err("a number may not be compared by !=".to_owned()),
    };
    Ok(Holds::Between { at_least, at_most })
}

#[cfg(test)]
mod tests {
    use super::super::expression::parse;
    use super::*;

    fn read(text: &str) -> Result<Vec<Condition>, Why> {
        let options = |names: &[&str]| names.iter().map(|n| ((*n).to_owned(), n.to_uppercase())).collect::<Vec<_>>();
        let items = [
            ("q", Answer::One(options(&["a", "b", "c"]))),
            ("likert", Answer::One(options(&["1", "2", "3", "-99"]))),
            ("m", Answer::Many(options(&["a", "b"]))),
            ("n", Answer::Number { decimals: 0 }),
            ("d", Answer::Number { decimals: 2 }),
            ("t", Answer::Text),
        ];
        let earlier = items.map(|(name, answer)| (name.to_owned(), Earlier { code: name.to_uppercase(), answer }));
        let rows = [("q", 2), ("calc", 3), ("here", 9), ("later", 12)].map(|(name, row)| (name.to_owned(), row));
        conditions(&parse(text).unwrap(), &Names { earlier: &earlier.into(), rows: &rows.into(), here: 9 })
    }

    fn said(text: &str) -> String {
        let one = |c: &Condition| match &c.holds {
            Holds::Is(options) => format!("{} is {}", c.item, options.join("|")),
            Holds::IsNot(options) => format!("{} is not {}", c.item, options.join("|")),
            Holds::Answered(truth) => format!("{} answered {truth}", c.item),
            Holds::Between { at_least, at_most } => {
                let shown = |bound: &Option<Ratio>| bound.as_ref().map_or("..".to_owned(), ratio::to_exact);
                format!("{} {}-{}", c.item, shown(at_least), shown(at_most))
            }
        };
        read(text).unwrap_or_else(|why| panic!("{text}: {why}")).iter().map(one).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn simple_expressions_are_conditions() {
        for (text, meaning) in [
            ("${q} = 'a'", "Q is A"),
            ("'a' = ${q}", "Q is A"),
            ("${q}='a' or ${q}=\"b\"", "Q is A|B"),
            ("(${q}='a' or ${q}='b') and ${n} > 17", "Q is A|B; N 18-.."),
            ("${q} != 'a'", "Q is not A"),
            ("(${q} != 'a' and ${q} != 'b')", "Q is not A|B"),
            ("not(${q} = 'a' or ${q} = 'c')", "Q is not A|C"),
            ("selected(${m}, 'a')", "M is A"),
            ("selected(${m}, 'a') and selected(${m}, 'b')", "M is A; M is B"),
            ("selected(${q},'a') or selected(${q},'b')", "Q is A|B"),
            ("not(selected(${m}, 'b'))", "M is not B"),
            ("${likert} = 2", "LIKERT is 2"),
            ("${likert} >= 2", "LIKERT is 2|3"),
            ("${likert} < '2'", "LIKERT is 1|-99"),
            ("${n} >= 18 and ${n} <= 60", "N 18-..; N ..-60"),
            ("(${n} >= 18 and ${n} < 60)", "N 18-59"),
            ("18 < ${n}", "N 19-.."),
            ("${n} = 5", "N 5-5"),
            ("${n} > 2.5", "N 3-.."),
            ("${d} > 2.5", "D 2.51-.."),
            ("${d} < 2.5", "D ..-2.49"),
            ("${n} != ''", "N answered true"),
            ("${q} = ''", "Q answered false"),
            ("string-length(${q}) > 0", "Q answered true"),
            ("count-selected(${m}) >= 1", "M answered true"),
            ("not(${q} = '')", "Q answered true"),
            ("true()", ""),
        ] {
            assert_eq!(said(text), meaning, "{text}");
        }
    }

    #[test]
    fn others_are_refused_with_their_reason() {
        for (text, why) in [
            ("${q} = 'z'", "has no choice z"),
            ("${nobody} = 'a'", "no row is named nobody"),
            ("${later} = 'a'", "row 12"),
            ("${here} = 'a'", "its own answer"),
            ("${calc} = 'a'", "no question that was taken"),
            ("${q} = 'a' or ${n} = 3", "\"or\" may only join"),
            ("${q} = 'a' or ${q} = ''", "\"or\" may only join"),
            ("${m} = 'a'", "selected(${m}, 'a')"),
            ("${t} = 'x'", "free text"),
            ("${t} != ''", "free text"),
            ("string-length(${t}) > 0", "free text"),
            ("not(${n} > 3)", "turn the comparison"),
            ("${n} != 3", "!="),
            ("${q} = ${m}", "no fixed value"),
            ("count-selected(${m}) > 2", "counts"),
            ("regex(${t}, 'a+')", "regex()"),
            ("false()", "false()"),
            ("${q}", "compares nothing"),
            ("jr:choice-name(${q}, '${q}') = 'x'", "jr:choice-name()"),
        ] {
            let said = read(text).expect_err(text);
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn limits_of_an_answer() {
        let limits = |text: &str| bounds(&parse(text).unwrap(), 0);
        let (least, greatest) = limits(". >= 0 and . < 121").unwrap();
        assert_eq!((least, greatest), (Some(ratio::whole(0)), Some(ratio::whole(120))));
        assert_eq!(limits(".>0").unwrap(), (Some(ratio::whole(1)), None));
        assert!(limits(". >= 0 or . = -99").is_err());
        assert!(limits(". > ${n}").is_err());
        assert_eq!(most(&parse("count-selected(.) <= 3").unwrap(), "count-selected"), Ok(3));
        assert_eq!(most(&parse("(string-length(.) < 3)").unwrap(), "string-length"), Ok(2));
        assert!(most(&parse("string-length(.) >= 3").unwrap(), "string-length").is_err());
        assert!(most(&parse("string-length(.) < 0").unwrap(), "string-length").is_err());
    }
}
