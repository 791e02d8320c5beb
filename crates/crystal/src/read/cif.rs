//! The tokens of a CIF: tags, values in their four spellings, and the words that give structure.
//!
//! Files of reflections and of coordinates are put together of them.
//!
//! ```
//! use nanobragg_crystal::read::cif::{Token, Tokens};
//!
//! let mut tokens = Tokens::new(b"data_x _cell.length_a 59.062(3) # A");
//! let mut next = || tokens.next_token().transpose();
//! assert_eq!(next()?, Some(Token::Data(b"x")));
//! assert_eq!(next()?, Some(Token::Tag(b"_cell.length_a")));
//! assert_eq!(next()?, Some(Token::Bare(b"59.062(3)")));
//! assert_eq!(next()?, None);
//! # Ok::<(), nanobragg_crystal::read::cif::TokenFault>(())
//! ```
//!
//! # Source
//! Hall, Allen and Brown, Acta Cryst. A47 (1991) 655; International Tables, Volume G, 2.2.

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_till, take_while1};
use nom::combinator::recognize;
use nom::multi::many0_count;
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// A token and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// `data_NAME`.
    Data(&'a [u8]),
    /// `loop_`.
    Loop,
    /// `save_`, `stop_`, `global_`: words of dictionaries, which data have no use for.
    Reserved(&'a [u8]),
    /// `_name`.
    Tag(&'a [u8]),
    /// A value without quotes.
    Bare(&'a [u8]),
    /// A value within quotes, or a text field.
    Quoted(&'a [u8]),
}

/// The tokens of a file, with the line that each begins on.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    bytes: &'a [u8],
    /// Where the token that comes next is looked for.
    at: usize,
    /// Where the latest token begins.
    begun_at: usize,
    /// The line of `counted_to`.
    line: usize,
    counted_to: usize,
}

/// What is wrong with a token, and the line that it begins on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TokenFault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl<'a> Tokens<'a> {
    /// The tokens of a file without a byte-order mark.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            begun_at: 0,
            line: 1,
            counted_to: 0,
        }
    }

    /// The line, from 1, that the latest token begins on; at the end, the last line.
    pub fn line(&mut self) -> usize {
        let passed = self.bytes.get(self.counted_to..self.begun_at);
        let passed = passed.unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.counted_to = self.begun_at;
        self.line
    }

    /// The next token; `None` at the end, and after a fault.
    ///
    /// # Errors
    /// [`TokenFault`] where a quote or a text field does not end.
    pub fn next_token(&mut self) -> Option<Result<Token<'a>, TokenFault>> {
        let rest = self.bytes.get(self.at..)?;
        // Nothing to skip is no failure of the parser.
        let (rest, _) = blank_and_comments(rest).ok()?;
        self.at = self.bytes.len() - rest.len();
        self.begun_at = self.at;
        let first = rest.first()?;
        let starts_line = self.at == 0 || self.bytes.get(self.at - 1) == Some(&b'\n');
        let parsed = match first {
            b';' if starts_line => text_field(rest).ok_or("a text field does not end"),
            b'\'' | b'"' => quoted(rest).ok_or("a quoted value does not end on its line"),
            _ => bare(rest)
                .map(|(rest, word)| (rest, meaning(word)))
                .map_err(|_: nom::Err<nom::error::Error<&[u8]>>| "no token"),
        };
        match parsed {
            Ok((rest, token)) => {
                self.at = self.bytes.len() - rest.len();
                Some(Ok(token))
            }
            Err(what) => {
                let line = self.line();
                self.at = self.bytes.len();
                Some(Err(TokenFault { line, what }))
            }
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn blank_and_comments(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let comment = preceded(tag(&b"#"[..]), take_till(|byte| byte == b'\n'));
    recognize(many0_count(alt((take_while1(is_blank), comment)))).parse(input)
}

fn bare(input: &[u8]) -> IResult<&[u8], &[u8]> {
    is_not(&b" \t\r\n"[..]).parse(input)
}

fn meaning(word: &[u8]) -> Token<'_> {
    let begins_with = |prefix: &[u8]| {
        let head = word.get(..prefix.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    if word.starts_with(b"_") {
        Token::Tag(word)
    } else if begins_with(b"data_") {
        Token::Data(word.get(5..).unwrap_or_default())
    } else if word.eq_ignore_ascii_case(b"loop_") {
        Token::Loop
    } else if begins_with(b"save_")
        || word.eq_ignore_ascii_case(b"stop_")
        || word.eq_ignore_ascii_case(b"global_")
    {
        Token::Reserved(word)
    } else {
        Token::Bare(word)
    }
}

/// A value from a quote to the next of its kind that a blank follows.
fn quoted(input: &[u8]) -> Option<(&[u8], Token<'_>)> {
    let (quote, inner) = input.split_first()?;
    for (i, byte) in inner.iter().enumerate() {
        if *byte == b'\n' {
            return None;
        }
        let after = inner.get(i + 1..)?;
        if byte == quote && after.first().is_none_or(|next| is_blank(*next)) {
            return Some((after, Token::Quoted(inner.get(..i)?)));
        }
    }
    None
}

/// A value from a semicolon that begins a line to the next that does.
fn text_field(input: &[u8]) -> Option<(&[u8], Token<'_>)> {
    const END: &[u8] = b"\n;";
    let inner = input.get(1..)?;
    let end = inner.windows(END.len()).position(|pair| pair == END)?;
    let text = inner.get(..end)?;
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    Some((inner.get(end + END.len()..)?, Token::Quoted(text)))
}

/// A number, without the uncertainty that may follow it in brackets.
pub fn without_uncertainty(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|byte| *byte == b'(');
    end.and_then(|end| value.get(..end)).unwrap_or(value)
}

/// A tag in lower case with `_` for its `.`, so that old and new dictionaries agree:
/// `_cell.length_a` is `_cell_length_a`.
pub fn normalized(tag: &[u8]) -> String {
    let text = String::from_utf8_lossy(tag);
    text.replacen('.', "_", 1).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut tokens = Tokens::new(text.as_bytes());
        std::iter::from_fn(|| tokens.next_token())
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn values_have_four_spellings() {
        assert_eq!(
            tokens("data_x\n_a 'it''s # no' # yes\nLOOP_ _b.c\n;one\n two;\n;\n\"q' \" a;b -1.5\n"),
            [
                Token::Data(b"x"),
                Token::Tag(b"_a"),
                Token::Quoted(b"it''s # no"),
                Token::Loop,
                Token::Tag(b"_b.c"),
                Token::Quoted(b"one\n two;"),
                Token::Quoted(b"q' "),
                Token::Bare(b"a;b"),
                Token::Bare(b"-1.5"),
            ]
        );
        assert_eq!(tokens("# only\n  "), []);
        assert_eq!(tokens("a#b"), [Token::Bare(b"a#b")]);
    }

    #[test]
    fn what_does_not_end_is_told_with_its_line() {
        for text in ["a\n'open\n'", "a\n;text\n", "a\n\"open"] {
            let mut tokens = Tokens::new(text.as_bytes());
            assert!(tokens.next_token().unwrap().is_ok());
            assert_eq!(tokens.next_token().unwrap().unwrap_err().line, 2, "{text}");
            assert!(tokens.next_token().is_none());
        }
    }

    #[test]
    fn the_line_is_the_one_that_a_token_begins_on() {
        let mut tokens = Tokens::new(b"_a\n;text\nof lines\n;\n_b # last\n");
        let mut lines = Vec::new();
        while tokens.next_token().is_some() {
            lines.push(tokens.line());
        }
        lines.push(tokens.line());
        assert_eq!(lines, [1, 2, 5, 6]);
    }

    #[test]
    fn uncertainties_are_cut_off() {
        assert_eq!(without_uncertainty(b"59.062(3)"), b"59.062");
        assert_eq!(without_uncertainty(b"59.062"), b"59.062");
    }
}
