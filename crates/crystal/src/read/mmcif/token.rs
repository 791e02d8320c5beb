//! The tokens of a CIF: tags, values in their four spellings, and the words that give structure.

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_till, take_while1};
use nom::combinator::recognize;
use nom::multi::many0_count;
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// A token and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `data_NAME`.
    Data(&'a [u8]),
    /// `loop_`.
    Loop,
    /// `save_`, `stop_`, `global_`: words that reflection files have no use for.
    Reserved(&'a [u8]),
    /// `_name`.
    Tag(&'a [u8]),
    /// A value without quotes.
    Bare(&'a [u8]),
    /// A value within quotes, or a text field.
    Quoted(&'a [u8]),
}

/// The tokens of a file, with the line that each begins on.
pub(crate) struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    line_at: usize,
}

/// What is wrong with a token, and the line that it begins on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TokenFault {
    pub(crate) line: usize,
    pub(crate) what: &'static str,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
            line_at: 0,
        }
    }

    /// The line, from 1, of the place reached.
    pub(crate) fn line(&mut self) -> usize {
        let passed = self.bytes.get(self.line_at..self.at).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.line_at = self.at;
        self.line
    }

    /// The next token; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Result<Token<'a>, TokenFault>> {
        let rest = self.bytes.get(self.at..)?;
        // Nothing to skip is no failure of the parser.
        let (rest, _) = blank_and_comments(rest).ok()?;
        self.at = self.bytes.len() - rest.len();
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
pub(crate) fn without_uncertainty(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|byte| *byte == b'(');
    end.and_then(|end| value.get(..end)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut tokens = Tokens::new(text.as_bytes());
        std::iter::from_fn(|| tokens.next())
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
            assert!(tokens.next().unwrap().is_ok());
            assert_eq!(tokens.next().unwrap().unwrap_err().line, 2, "{text}");
            assert!(tokens.next().is_none());
        }
    }

    #[test]
    fn uncertainties_are_cut_off() {
        assert_eq!(without_uncertainty(b"59.062(3)"), b"59.062");
        assert_eq!(without_uncertainty(b"59.062"), b"59.062");
    }
}
