//! The expressions of XLSForm (a part of XPath 1.0), as a tree. What the tree means is decided elsewhere.

use std::fmt;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    /// `${name}`, or `.` as an empty name.
    Answer(String),
    /// A quoted text.
    Text(String),
    /// A number as written.
    Number(String),
    /// `name(…)`.
    Call(String, Vec<Expression>),
    /// `left op right`.
    Compare(Operator, Box<Expression>, Box<Expression>),
    /// Two or more joined by `and`.
    All(Vec<Expression>),
    /// Two or more joined by `or`.
    Any(Vec<Expression>),
    /// In parentheses.
    Group(Box<Expression>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Operator {
    /// The same comparison with its sides exchanged.
    pub(super) fn turned(self) -> Self {
        match self {
            Operator::Less => Operator::Greater,
            Operator::AtMost => Operator::AtLeast,
            Operator::Greater => Operator::Less,
            Operator::AtLeast => Operator::AtMost,
            same => same,
        }
    }
}

/// What could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread(String);

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Longest expression that is read, in characters.
const LENGTH_MAX: usize = 4000;
const DEPTH_MAX: u32 = 24;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Answer(String),
    Text(String),
    Number(String),
    Word(String),
    Compare(Operator),
    Open,
    Close,
    Comma,
    Other(char),
}

fn tokens(text: &str) -> Result<Vec<Token>, Unread> {
    if text.chars().count() > LENGTH_MAX {
        return Err(Unread(format!("it is longer than {LENGTH_MAX} characters")));
    }
    let mut rest = text.chars().peekable();
    let mut found = Vec::new();
    while let Some(c) = rest.next() {
        let token = match c {
            c if c.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '=' => Token::Compare(Operator::Equal),
            '!' if rest.next_if_eq(&'=').is_some() => Token::Compare(Operator::Unequal),
            '<' if rest.next_if_eq(&'=').is_some() => Token::Compare(Operator::AtMost),
            '<' => Token::Compare(Operator::Less),
            '>' if rest.next_if_eq(&'=').is_some() => Token::Compare(Operator::AtLeast),
            '>' => Token::Compare(Operator::Greater),
            '$' if rest.next_if_eq(&'{').is_some() => {
                let name: String = std::iter::from_fn(|| rest.next_if(|c| *c != '}')).collect();
                if rest.next().is_none() || name.trim().is_empty() {
                    return Err(Unread("a ${…} is not closed or empty".to_owned()));
                }
                Token::Answer(name.trim().to_owned())
            }
            // Word processors put typographic quotes in.
            '\'' | '"' | '‘' | '’' | '“' | '”' => {
                let ends = |end: &char| match c {
                    '\'' => *end == '\'',
                    '"' => *end == '"',
                    '‘' | '’' => matches!(*end, '‘' | '’'),
                    _ => matches!(*end, '“' | '”'),
                };
                let text: String = std::iter::from_fn(|| rest.next_if(|c| !ends(c))).collect();
                if rest.next().is_none() {
                    return Err(Unread("a quote is not closed".to_owned()));
                }
                Token::Text(text)
            }
            '-' | '.' | '0'..='9' => {
                let mut number = String::from(c);
                while let Some(digit) = rest.next_if(|c| c.is_ascii_digit() || *c == '.') {
                    number.push(digit);
                }
                match number.as_str() {
                    "." => Token::Answer(String::new()),
                    "-" => Token::Other('-'),
                    _ => Token::Number(number),
                }
            }
            c if c.is_alphabetic() => {
                let mut word = String::from(c);
                while let Some(more) = rest.next_if(|c| c.is_alphanumeric() || matches!(*c, '-' | '_' | ':' | '.')) {
                    word.push(more);
                }
                Token::Word(word)
            }
            c => Token::Other(c),
        };
        found.push(token);
    }
    Ok(found)
}

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expression, Unread> {
    let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), depth: 0 };
    let found = parser.any()?;
    match parser.tokens.next() {
        None => Ok(found),
        Some(token) => Err(strange(&token)),
    }
}

fn strange(token: &Token) -> Unread {
    let shown = match token {
        Token::Other(c) => c.to_string(),
        Token::Word(word) | Token::Number(word) => super::workbook::short(word),
        Token::Answer(name) => format!("${{{}}}", super::workbook::short(name)),
        Token::Text(_) => "a quoted text".to_owned(),
        Token::Compare(_) => "a comparison".to_owned(),
        Token::Open => "(".to_owned(),
        Token::Close => ")".to_owned(),
        Token::Comma => ",".to_owned(),
    };
    Unread(format!("{shown} is not expected where it stands"))
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: u32,
}

impl Parser {
    fn word(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(found) if found == word)).is_some()
    }

    fn any(&mut self) -> Result<Expression, Unread> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Unread(format!("it is nested deeper than {DEPTH_MAX} parentheses")));
        }
        let mut parts = vec![self.all()?];
        while self.word("or") {
            parts.push(self.all()?);
        }
        self.depth -= 1;
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, Unread> {
        let mut parts = vec![self.comparison()?];
        while self.word("and") {
            parts.push(self.comparison()?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn comparison(&mut self) -> Result<Expression, Unread> {
        let left = self.value()?;
        let Some(Token::Compare(operator)) = self.tokens.next_if(|token| matches!(token, Token::Compare(_))) else {
            return Ok(left);
        };
        Ok(Expression::Compare(operator, Box::new(left), Box::new(self.value()?)))
    }

    fn value(&mut self) -> Result<Expression, Unread> {
        match self.tokens.next() {
            Some(Token::Answer(name)) => Ok(Expression::Answer(name)),
            Some(Token::Text(text)) => Ok(Expression::Text(text)),
            Some(Token::Number(number)) => Ok(Expression::Number(number)),
            Some(Token::Open) => {
                let inner = self.any()?;
                self.close()?;
                Ok(Expression::Group(Box::new(inner)))
            }
            Some(Token::Word(name)) if self.tokens.next_if_eq(&Token::Open).is_some() => {
                let mut arguments = Vec::new();
                if self.tokens.next_if_eq(&Token::Close).is_some() {
                    return Ok(Expression::Call(name, arguments));
                }
                loop {
                    arguments.push(self.any()?);
                    if self.tokens.next_if_eq(&Token::Comma).is_none() {
                        break;
                    }
                }
                self.close()?;
                Ok(Expression::Call(name, arguments))
            }
            Some(token) => Err(strange(&token)),
            None => Err(Unread("it ends too early".to_owned())),
        }
    }

    fn close(&mut self) -> Result<(), Unread> {
        match self.tokens.next() {
            Some(Token::Close) => Ok(()),
            Some(token) => Err(strange(&token)),
            None => Err(Unread("a parenthesis is not closed".to_owned())),
        }
    }
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match (parts.len(), parts.pop()) {
        (1, Some(one)) => one,
        (_, Some(last)) => {
            parts.push(last);
            many(parts)
        }
        (_, None) => many(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_become_trees() {
        let answer = |name: &str| Box::new(Expression::Answer(name.to_owned()));
        let text = |text: &str| Box::new(Expression::Text(text.to_owned()));
        assert_eq!(parse("${q} = 'a'").unwrap(), Expression::Compare(Operator::Equal, answer("q"), text("a")));
        assert_eq!(parse("${ q }=“a”").unwrap(), Expression::Compare(Operator::Equal, answer("q"), text("a")));
        let and = parse(". >= -1.5 and .<10").unwrap();
        let number = |number: &str| Box::new(Expression::Number(number.to_owned()));
        assert_eq!(
            and,
            Expression::All(vec![
                Expression::Compare(Operator::AtLeast, answer(""), number("-1.5")),
                Expression::Compare(Operator::Less, answer(""), number("10")),
            ])
        );
        let not = parse("not(selected(${q}, 'a'))").unwrap();
        let selected = Expression::Call("selected".to_owned(), vec![*answer("q"), *text("a")]);
        assert_eq!(not, Expression::Call("not".to_owned(), vec![selected]));
    }

    #[test]
    fn what_is_no_expression_is_said() {
        for text in ["", "${q", "${} = 1", "'a", "(1", "1)", "${a} + 1", "f(1,", "a b", "= 1", "${a} = ", "/data/x = 1"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse(&"(".repeat(4000)).is_err());
        assert!(parse(&"not(".repeat(900)).is_err());
        assert!(parse(&"1 and ".repeat(900)).is_err());
    }
}
