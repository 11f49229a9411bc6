//! Patterns of `java.util.Formatter`.

use datafusion::{common::exec_err, error::Result};

use super::number::{Digits, java_double};
use crate::engine::functions::call::quoted;

/// A value to be written.
#[derive(Debug, Clone)]
pub(super) enum Argument<'a> {
    Null,
    Text(&'a str),
    Integer(i64),
    Double(f64),
    Decimal(Digits),
    Boolean(bool),
}

/// A pattern, taken apart.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Literal(String),
    Value { index: usize, spec: Spec },
}

/// What is between `%` and the end of a conversion.
#[derive(Debug, Clone, Default)]
struct Spec {
    flags: String,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

/// No value is written wider, so that a slip does not take all memory.
const WIDEST: usize = 1 << 20;

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut pieces = Vec::new();
        let (mut rest, mut next, mut last) = (text, 0_usize, None);
        while let Some((literal, after)) = rest.split_once('%') {
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            let (spec, position, end) = Spec::parse(after, text)?;
            rest = after.get(end..).unwrap_or_default();
            match spec.conversion {
                '%' => pieces.push(Piece::Literal(spec.padded("%"))),
                'n' => pieces.push(Piece::Literal("\n".to_owned())),
                _ => {
                    let index = match position {
                        Position::Next => {
                            next += 1;
                            next - 1
                        }
                        Position::At(at) => at,
                        Position::Last => match last {
                            Some(last) => last,
                            None => return exec_err!("no value is before %< in {}", quoted(text)),
                        },
                    };
                    last = Some(index);
                    pieces.push(Piece::Value { index, spec });
                }
            }
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    pub(super) fn write(&self, values: &[Argument<'_>], out: &mut String) -> Result<()> {
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Value { index, spec } => match values.get(*index) {
                    Some(value) => out.push_str(&spec.write(value)?),
                    None => {
                        return exec_err!(
                            "format has no value {} for %{}",
                            index + 1,
                            spec.conversion
                        );
                    }
                },
            }
        }
        Ok(())
    }
}

/// Which value a conversion writes.
enum Position {
    Next,
    At(usize),
    Last,
}

impl Spec {
    /// The conversion that `text` starts with, after its `%`; how many bytes it takes.
    fn parse(text: &str, whole: &str) -> Result<(Self, Position, usize)> {
        let mut spec = Self::default();
        let mut position = Position::Next;
        let mut end = 0;
        let number = |from: usize| {
            let rest = text.get(from..).unwrap_or_default();
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            (rest.get(..digits).and_then(|digits| digits.parse::<usize>().ok()), from + digits)
        };
        if let (Some(at), after) = number(0)
            && text.get(after..).is_some_and(|rest| rest.starts_with('$'))
        {
            let Some(at) = at.checked_sub(1) else {
                return exec_err!("values count from 1 in {}", quoted(whole));
            };
            position = Position::At(at);
            end = after + 1;
        } else if text.starts_with('<') {
            position = Position::Last;
            end = 1;
        }
        let rest = text.get(end..).unwrap_or_default();
        let flags = rest.bytes().take_while(|byte| b"-#+ 0,(".contains(byte)).count();
        rest.get(..flags).unwrap_or_default().clone_into(&mut spec.flags);
        let (width, after) = number(end + flags);
        spec.width = width.unwrap_or_default();
        end = after;
        if text.get(end..).is_some_and(|rest| rest.starts_with('.')) {
            let (precision, after) = number(end + 1);
            if precision.is_none() {
                return exec_err!("a precision is missing in {}", quoted(whole));
            }
            spec.precision = precision;
            end = after;
        }
        let Some(conversion) = text.get(end..).and_then(|rest| rest.chars().next()) else {
            return exec_err!("the pattern {} ends within a conversion", quoted(whole));
        };
        spec.conversion = conversion;
        spec.check(whole)?;
        Ok((spec, position, end + conversion.len_utf8()))
    }

    fn check(&self, whole: &str) -> Result<()> {
        if !"bBsScCdoxXeEfgGn%".contains(self.conversion) {
            let hint = match self.conversion {
                't' | 'T' => "; date_format and format_datetime write dates",
                _ => "",
            };
            return exec_err!(
                "the conversion %{} in {} is not supported{hint}",
                self.conversion,
                quoted(whole)
            );
        }
        let allowed = match self.conversion {
            'o' | 'x' | 'X' => "-#0",
            'e' | 'E' => "-+ 0(",
            'd' | 'f' | 'g' | 'G' => "-+ 0,(",
            _ => "-",
        };
        if let Some(flag) = self.flags.chars().find(|flag| !allowed.contains(*flag)) {
            return exec_err!("the flag '{flag}' does not go with %{}", self.conversion);
        }
        if (self.has('-') || self.has('0')) && self.width == 0 {
            return exec_err!("a width is missing for %{} in {}", self.conversion, quoted(whole));
        }
        if (self.has('-') && self.has('0')) || (self.has('+') && self.has(' ')) {
            return exec_err!("the flags '{}' exclude each other", self.flags);
        }
        if self.precision.is_some() && "cCdoxXn%".contains(self.conversion) {
            return exec_err!("%{} takes no precision", self.conversion);
        }
        if self.width > WIDEST || self.precision.is_some_and(|precision| precision > WIDEST) {
            return exec_err!("a width or precision in {} is too large", quoted(whole));
        }
        Ok(())
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    /// `text` brought to the width with spaces.
    fn padded(&self, text: &str) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        let spaces = " ".repeat(missing);
        if self.has('-') { format!("{text}{spaces}") } else { format!("{spaces}{text}") }
    }

    fn write(&self, value: &Argument<'_>) -> Result<String> {
        let written = match self.conversion.to_ascii_lowercase() {
            'b' => self.cut(&match value {
                Argument::Null => "false".to_owned(),
                Argument::Boolean(value) => value.to_string(),
                _ => "true".to_owned(),
            }),
            's' => self.cut(&as_text(value)),
            // Whatever else is asked for, NULL is written as a word.
            _ if matches!(value, Argument::Null) => self.cut("null"),
            'c' => match value {
                Argument::Integer(point) => {
                    match u32::try_from(*point).ok().and_then(char::from_u32) {
                        Some(character) => character.to_string(),
                        None => return exec_err!("{point} is no Unicode code point"),
                    }
                }
                other => return self.mismatch(other),
            },
            'd' | 'o' | 'x' => match value {
                Argument::Integer(value) => return Ok(self.cased(self.integer(*value))),
                other => return self.mismatch(other),
            },
            _ => match value {
                Argument::Double(value) if !value.is_finite() => self.not_finite(*value),
                Argument::Double(value) => {
                    return Ok(self.cased(self.decimal(Digits::of_double(*value))));
                }
                Argument::Decimal(digits) => return Ok(self.cased(self.decimal(digits.clone()))),
                other => return self.mismatch(other),
            },
        };
        Ok(self.cased(self.padded(&written)))
    }

    /// Upper case where the conversion is.
    fn cased(&self, text: String) -> String {
        if self.conversion.is_ascii_uppercase() { text.to_uppercase() } else { text }
    }

    fn cut(&self, text: &str) -> String {
        text.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }

    fn mismatch<T>(&self, value: &Argument<'_>) -> Result<T> {
        exec_err!("%{} does not write {}", self.conversion, quoted(&as_text(value)))
    }

    fn not_finite(&self, value: f64) -> String {
        match value {
            value if value.is_nan() => "NaN".to_owned(),
            value if value > 0.0 && self.has('+') => "+Infinity".to_owned(),
            value if value > 0.0 => "Infinity".to_owned(),
            _ if self.has('(') => "(Infinity)".to_owned(),
            _ => "-Infinity".to_owned(),
        }
    }

    fn integer(&self, value: i64) -> String {
        // Octal and hexadecimal digits are those of the two's complement.
        let (prefix, digits) = match self.conversion {
            'o' => ("0", format!("{value:o}")),
            'x' | 'X' => ("0x", format!("{value:x}")),
            _ => return self.signed(value < 0, &value.unsigned_abs().to_string()),
        };
        let prefix = if self.has('#') { prefix } else { "" };
        let zeros = if self.has('0') { self.width } else { 0 };
        let missing = zeros.saturating_sub(prefix.len() + digits.len());
        self.padded(&format!("{prefix}{}{digits}", "0".repeat(missing)))
    }

    fn decimal(&self, mut digits: Digits) -> String {
        let places = self.precision.map_or(6, |places| i64::try_from(places).unwrap_or(0));
        let negative = digits.negative;
        let mut out = String::new();
        match self.conversion.to_ascii_lowercase() {
            'e' => {
                digits.round_scientific(places);
                digits.write_scientific(places, &mut out);
            }
            'g' => {
                let kept = places.max(1);
                digits.round_scientific(kept - 1);
                let exponent = digits.exponent();
                if digits.is_zero() || (-4..kept).contains(&exponent) {
                    digits.write_plain(Some(kept - 1 - exponent), &mut out);
                } else {
                    digits.write_scientific(kept - 1, &mut out);
                }
            }
            _ => {
                digits.round(places);
                digits.write_plain(Some(places), &mut out);
            }
        }
        self.signed(negative, &out)
    }

    /// A number's digits with its sign, grouped and filled up as the flags ask.
    fn signed(&self, negative: bool, digits: &str) -> String {
        let (before, after) = match (negative, self.has('('), self.has('+'), self.has(' ')) {
            (true, true, _, _) => ("(", ")"),
            (true, false, _, _) => ("-", ""),
            (false, _, true, _) => ("+", ""),
            (false, _, _, true) => (" ", ""),
            _ => ("", ""),
        };
        let whole = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let (whole, rest) = digits.split_at_checked(whole).unwrap_or((digits, ""));
        let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
        for (index, digit) in whole.chars().enumerate() {
            if self.has(',') && index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        grouped.push_str(rest);
        let zeros = if self.has('0') { self.width } else { 0 };
        let missing = zeros.saturating_sub(before.len() + grouped.len() + after.len());
        self.padded(&format!("{before}{}{grouped}{after}", "0".repeat(missing)))
    }
}

/// A value as `String.valueOf` writes it.
fn as_text(value: &Argument<'_>) -> String {
    match value {
        Argument::Null => "null".to_owned(),
        Argument::Text(text) => (*text).to_owned(),
        Argument::Integer(value) => value.to_string(),
        Argument::Double(value) => java_double(*value),
        Argument::Boolean(value) => value.to_string(),
        Argument::Decimal(digits) => {
            let mut out = String::new();
            if digits.negative {
                out.push('-');
            }
            digits.write_plain(Some(digits.places().max(0)), &mut out);
            out
        }
    }
}
