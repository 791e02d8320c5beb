//! A CIF cut into tokens.

use super::Fault;

/// A token of a CIF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `data_NAME`.
    Data,
    /// `loop_`.
    Loop,
    /// `save_`, `stop_`, `global_`: words of dictionaries, which mean nothing in data.
    Reserved,
    /// `_name`.
    Tag(&'a str),
    /// A value without quotes.
    Bare(&'a str),
    /// A value in quotes, or a text field.
    Quoted(&'a str),
}

/// Reads the tokens of a text one after the other.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    /// What messages call the file.
    pub(super) name: &'a str,
    text: &'a str,
    /// Where the next token is looked for.
    next_at: usize,
    line: usize,
    /// `line` is the line of this byte.
    counted_to: usize,
}

/// Blanks of a CIF. A form feed, for example, is none.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str, name: &'a str) -> Self {
        Self {
            name,
            text,
            next_at: 0,
            line: 1,
            counted_to: 0,
        }
    }

    /// The next token and the line, from 1, that it begins on; `None` at the end of the text.
    pub(super) fn next_token(&mut self) -> Result<Option<(Token<'a>, usize)>, Fault> {
        let rest = without_comments(self.text.get(self.next_at..).unwrap_or_default());
        let at = self.text.len() - rest.len();
        let passed = self.text.get(self.counted_to..at).unwrap_or_default();
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
        self.counted_to = at;
        if rest.is_empty() {
            self.next_at = at;
            return Ok(None);
        }
        let begins_line = at == 0 || self.text.as_bytes().get(at - 1) == Some(&b'\n');
        let (token, rest) = match rest.as_bytes().first() {
            Some(b';') if begins_line => {
                text_field(rest).ok_or_else(|| self.fault("a text field does not end"))?
            }
            Some(b'\'' | b'"') => {
                quoted(rest).ok_or_else(|| self.fault("a quoted value does not end on its line"))?
            }
            _ => {
                let (word, rest) = rest.split_at(rest.find(BLANKS).unwrap_or(rest.len()));
                (meaning(word), rest)
            }
        };
        self.next_at = self.text.len() - rest.len();
        Ok(Some((token, self.line)))
    }

    /// An error on the line of the latest token.
    pub(super) fn fault(&self, what: impl Into<String>) -> Fault {
        Fault {
            name: self.name.to_owned(),
            line: self.line,
            what: what.into(),
        }
    }
}

/// A text from its first token on.
fn without_comments(mut text: &str) -> &str {
    loop {
        text = text.trim_start_matches(BLANKS);
        if !text.starts_with('#') {
            return text;
        }
        text = text
            .find('\n')
            .and_then(|end| text.get(end..))
            .unwrap_or("");
    }
}

/// What a word without quotes is. Only tags and values keep their case.
fn meaning(word: &str) -> Token<'_> {
    let begins_with = |prefix: &str| {
        let head = word.get(..prefix.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    if word.starts_with('_') {
        Token::Tag(word)
    } else if begins_with("data_") {
        Token::Data
    } else if word.eq_ignore_ascii_case("loop_") {
        Token::Loop
    } else if begins_with("save_")
        || word.eq_ignore_ascii_case("stop_")
        || word.eq_ignore_ascii_case("global_")
    {
        Token::Reserved
    } else {
        Token::Bare(word)
    }
}

/// The value in quotes at the beginning of a text, and what follows it.
///
/// A quote ends the value only where a blank follows: `'a dog's life'` is one value.
fn quoted(text: &str) -> Option<(Token<'_>, &str)> {
    let quote = text.chars().next()?;
    let inner = text.get(1..)?;
    let line = inner.split('\n').next()?;
    line.match_indices(quote).find_map(|(end, _)| {
        let after = inner.get(end + 1..)?;
        let ends = after.is_empty() || after.starts_with(BLANKS);
        ends.then_some((Token::Quoted(inner.get(..end)?), after))
    })
}

/// The text field at the beginning of a text, and what follows it.
///
/// It goes from a semicolon that begins a line to the next one that does.
fn text_field(text: &str) -> Option<(Token<'_>, &str)> {
    let (field, rest) = text.get(1..)?.split_once("\n;")?;
    Some((
        Token::Quoted(field.strip_suffix('\r').unwrap_or(field)),
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut tokens = Tokens::new(text, "x.cif");
        std::iter::from_fn(|| tokens.next_token().unwrap())
            .map(|(token, _)| token)
            .collect()
    }

    #[test]
    fn values_have_four_spellings() {
        assert_eq!(
            tokens("data_x\n_a 'it''s # no' # yes\nLOOP_ _b.c\n;one\n two;\n;\n\"q' \" a;b -1.5\n"),
            [
                Token::Data,
                Token::Tag("_a"),
                Token::Quoted("it''s # no"),
                Token::Loop,
                Token::Tag("_b.c"),
                Token::Quoted("one\n two;"),
                Token::Quoted("q' "),
                Token::Bare("a;b"),
                Token::Bare("-1.5"),
            ]
        );
        assert_eq!(tokens("# only\n  "), []);
        assert_eq!(tokens("a#b"), [Token::Bare("a#b")]);
    }

    #[test]
    fn a_value_that_does_not_end_is_an_error_with_its_line() {
        for text in ["a\n'open\n'", "a\n;text\n", "a\n\"open"] {
            let mut tokens = Tokens::new(text, "x.cif");
            assert!(tokens.next_token().is_ok());
            assert_eq!(tokens.next_token().unwrap_err().line, 2, "{text}");
        }
    }

    #[test]
    fn the_line_is_the_one_that_a_token_begins_on() {
        let mut tokens = Tokens::new("_a\n;text\nof lines\n;\n_b # last\n", "x.cif");
        let mut lines = Vec::new();
        while let Some((_, line)) = tokens.next_token().unwrap() {
            lines.push(line);
        }
        lines.push(tokens.fault("").line);
        assert_eq!(lines, [1, 2, 5, 6]);
    }
}
