//! Decimal digits, and rounding half up on them as Java's Formatter does.

/// A number's digits: `0.d₁d₂d₃… × 10^point`, without its sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digits {
    all: Vec<u8>,
    point: i64,
    pub(super) negative: bool,
}

impl Digits {
    /// The shortest digits that stand for `value`, which is finite.
    pub(super) fn of_double(value: f64) -> Self {
        let text = format!("{:e}", value.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        let exponent: i64 = exponent.parse().unwrap_or_default();
        Self { all: digits, point: exponent + 1, negative: value.is_sign_negative() }.trimmed()
    }

    /// The digits of `value / 10^scale`.
    pub(super) fn of_decimal(value: i128, scale: i8) -> Self {
        let digits = value.unsigned_abs().to_string().into_bytes();
        let length = i64::try_from(digits.len()).unwrap_or_default();
        let point = length - i64::from(scale);
        Self { all: digits, point, negative: value < 0 }
    }

    /// Without zeros in front.
    fn trimmed(mut self) -> Self {
        let zeros = self.all.iter().take_while(|digit| **digit == b'0').count();
        self.all.drain(..zeros);
        self.point -= i64::try_from(zeros).unwrap_or_default();
        if self.all.is_empty() {
            self.point = 0;
        }
        self
    }

    pub(super) fn is_zero(&self) -> bool {
        self.all.iter().all(|digit| *digit == b'0')
    }

    /// The exponent of the first digit in `d.ddd × 10^e`.
    pub(super) fn exponent(&self) -> i64 {
        if self.is_zero() { 0 } else { self.clone().trimmed().point - 1 }
    }

    /// Keeps `places` digits after the point, half rounded up.
    pub(super) fn round(&mut self, places: i64) {
        self.keep(self.point.saturating_add(places));
    }

    /// Keeps `places` digits after the first that is not 0, half rounded up.
    pub(super) fn round_scientific(&mut self, places: i64) {
        *self = self.clone().trimmed();
        self.keep(places.saturating_add(1));
    }

    fn keep(&mut self, kept: i64) {
        let Ok(kept) = usize::try_from(kept) else {
            self.all.clear();
            self.point = 0;
            return;
        };
        let up = self.all.get(kept).is_some_and(|digit| *digit >= b'5');
        self.all.truncate(kept);
        if !up {
            return;
        }
        for digit in self.all.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        self.all.insert(0, b'1');
        self.point += 1;
    }

    /// The digit before (negative) or after the point; 0 where there is none.
    fn at(&self, place: i64) -> char {
        let index = usize::try_from(self.point.saturating_add(place)).ok();
        char::from(index.and_then(|index| self.all.get(index)).copied().unwrap_or(b'0'))
    }

    /// Writes the number with so many places, or with those it has; zeros at the end go then.
    pub(super) fn write_plain(&self, places: Option<i64>, out: &mut String) {
        let whole = self.point.max(1);
        out.extend((-whole..0).map(|place| self.at(place)));
        let places = places.unwrap_or_else(|| {
            let zeros = self.all.iter().rev().take_while(|digit| **digit == b'0').count();
            let kept = self.all.len() - zeros;
            i64::try_from(kept).unwrap_or_default() - self.point
        });
        if places > 0 {
            out.push('.');
            out.extend((0..places).map(|place| self.at(place)));
        }
    }

    /// Writes `d.ddde+xx`.
    pub(super) fn write_scientific(&self, places: i64, out: &mut String) {
        let own = self.clone().trimmed();
        let exponent = own.exponent();
        let first = -own.point;
        out.push(own.at(first));
        if places > 0 {
            out.push('.');
            out.extend((1..=places).map(|place| own.at(first + place)));
        }
        out.push('e');
        out.push(if exponent < 0 { '-' } else { '+' });
        if exponent.abs() < 10 {
            out.push('0');
        }
        out.push_str(&exponent.abs().to_string());
    }

    /// How many places a decimal of this many digits has.
    pub(super) fn places(&self) -> i64 {
        i64::try_from(self.all.len()).unwrap_or_default() - self.point
    }
}

/// `value` as `Double.toString` writes it.
pub(super) fn java_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}Infinity");
    }
    let digits = Digits::of_double(value);
    let mut out = sign.to_owned();
    let exponent = digits.exponent();
    if digits.is_zero() || (-3..7).contains(&exponent) {
        digits.write_plain(Some(digits.places().max(1)), &mut out);
        return out;
    }
    let places = digits.places() + exponent;
    let mut mantissa = String::new();
    digits.write_scientific(places.max(1), &mut mantissa);
    let mantissa = mantissa.split_once('e').map_or(mantissa.as_str(), |(before, _)| before);
    out.push_str(mantissa);
    out.push('E');
    out.push_str(&exponent.to_string());
    out
}
