//! The delivery day as the text of a partition column.
//!
//! Published queries compare partitions as text: `year = '2023' AND month = '07'`, `"timestamp" >=
//! '2023/07/10'`. To the planner these are ranges of the date below, by which files and row groups
//! are pruned.

use std::{collections::BTreeSet, sync::Arc};

use arrow::{
    array::{Array, AsArray, StringBuilder},
    datatypes::{DataType, Date32Type},
};
use chrono::{Datelike, Days, NaiveDate};
use datafusion::{
    common::{exec_datafusion_err, utils::take_function_args},
    error::Result,
    logical_expr::{
        BinaryExpr, ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDFImpl, Signature,
        Volatility, interval_arithmetic::Interval, lit, preimage::PreimageResult,
        simplify::SimplifyContext, utils::split_conjunction,
    },
    scalar::ScalarValue,
};

use super::call;

/// The longest range of days that is looked through for given months and days.
const MAX_DAYS: i32 = 40 * 366;

/// How a day is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::engine) enum DayFormat {
    /// `2024`
    Year,
    /// `01`
    Month,
    /// `02`
    Day,
    /// `2024-01-02`
    Dashes,
    /// `2024/01/02`
    Slashes,
}

impl DayFormat {
    fn strftime(self) -> &'static str {
        match self {
            Self::Year => "%Y",
            Self::Month => "%m",
            Self::Day => "%d",
            Self::Dashes => "%Y-%m-%d",
            Self::Slashes => "%Y/%m/%d",
        }
    }

    /// The days that are written exactly as `text`: the first and the one after the last. Only
    /// for formats whose texts sort as their days do.
    pub(in crate::engine) fn days(self, text: &str) -> Option<(NaiveDate, NaiveDate)> {
        let (first, next) = match self {
            Self::Month | Self::Day => return None,
            Self::Year => {
                let year = text.parse().ok()?;
                let first = NaiveDate::from_ymd_opt(year, 1, 1)?;
                (first, NaiveDate::from_ymd_opt(year.checked_add(1)?, 1, 1)?)
            }
            Self::Dashes | Self::Slashes => {
                let first = NaiveDate::parse_from_str(text, self.strftime()).ok()?;
                (first, first.checked_add_days(Days::new(1))?)
            }
        };
        // Texts in another spelling (`2024-1-2`) sort differently: leave them to be compared.
        (first.format(self.strftime()).to_string() == text).then_some((first, next))
    }
}

/// `day` written in `format`.
pub(in crate::engine) fn day_text(format: DayFormat, day: Expr) -> Expr {
    call(DayText { format, signature: signature() }, vec![day])
}

fn signature() -> Signature {
    Signature::exact(vec![DataType::Date32], Volatility::Immutable)
}

/// The function behind [`day_text`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::engine) struct DayText {
    /// How the day is written.
    pub(in crate::engine) format: DayFormat,
    signature: Signature,
}

impl ScalarUDFImpl for DayText {
    fn name(&self) -> &str {
        match self.format {
            DayFormat::Year => "year_of",
            DayFormat::Month => "month_of",
            DayFormat::Day => "day_of",
            DayFormat::Dashes => "date_of",
            DayFormat::Slashes => "slashed_date_of",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [days] = take_function_args(self.name(), args.args)?;
        let days = days.into_array(rows)?;
        let days = days.as_primitive_opt::<Date32Type>().ok_or_else(|| {
            exec_datafusion_err!("{} takes a date, not {}", self.name(), days.data_type())
        })?;
        let mut texts = StringBuilder::with_capacity(days.len(), days.len() * 10);
        let mut last: Option<(i32, String)> = None;
        for day in days {
            let Some(day) = day else {
                texts.append_null();
                continue;
            };
            // Rows come sorted by time: the same day many times over.
            if last.as_ref().is_none_or(|(known, _)| *known != day) {
                last = date(day).map(|d| (day, d.format(self.format.strftime()).to_string()));
            }
            texts.append_option(last.as_ref().map(|(_, text)| text));
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }

    fn preimage(
        &self,
        args: &[Expr],
        literal: &Expr,
        _: &SimplifyContext,
    ) -> Result<PreimageResult> {
        let text = literal.as_literal().and_then(ScalarValue::try_as_str).flatten();
        let (Some((first, next)), [day]) = (text.and_then(|text| self.format.days(text)), args)
        else {
            return Ok(PreimageResult::None);
        };
        let interval = Interval::try_new(scalar(first), scalar(next))?;
        Ok(PreimageResult::Range { expr: day.clone(), interval: Box::new(interval) })
    }
}

fn date(days: i32) -> Option<NaiveDate> {
    NaiveDate::default().checked_add_signed(chrono::TimeDelta::days(days.into()))
}

fn scalar(date: NaiveDate) -> ScalarValue {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    ScalarValue::Date32(i32::try_from(days).ok())
}

/// What `year`, `month` and `day` together say of `delivery_date`, as one range: by itself the
/// text of a month or a day is none. It follows from `filters`, so that adding it changes no
/// answer.
pub(in crate::engine) fn delivery_range(filters: &[Expr]) -> Option<Expr> {
    let mut wanted = Wanted { first: i32::MIN, last: i32::MAX, months: None, days: None, on: None };
    for filter in filters.iter().flat_map(split_conjunction) {
        wanted.narrow(filter);
    }
    if wanted.months.is_none() && wanted.days.is_none() {
        return None;
    }
    let length = wanted.last.checked_sub(wanted.first)?;
    if length > MAX_DAYS {
        return None;
    }
    let has = |set: &Option<BTreeSet<u32>>, n: u32| set.as_ref().is_none_or(|set| set.contains(&n));
    let mut matching = (wanted.first..=wanted.last).filter(|day| {
        date(*day).is_some_and(|d| has(&wanted.months, d.month()) && has(&wanted.days, d.day()))
    });
    let first = matching.next()?;
    let last = matching.next_back().unwrap_or(first);
    let day = wanted.on?;
    Some(
        day.clone()
            .gt_eq(lit(ScalarValue::Date32(Some(first))))
            .and(day.lt_eq(lit(ScalarValue::Date32(Some(last))))),
    )
}

/// The delivery days that some predicates leave, both ends included.
struct Wanted {
    first: i32,
    last: i32,
    months: Option<BTreeSet<u32>>,
    days: Option<BTreeSet<u32>>,
    on: Option<Expr>,
}

impl Wanted {
    fn narrow(&mut self, filter: &Expr) {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let Some(value) = right.as_literal() else { return };
                match left.as_ref() {
                    Expr::Column(column) if column.name == "delivery_date" => {
                        self.compare(*op, value);
                    }
                    _ if *op == Operator::Eq => self.parts(left, &[value]),
                    _ => {}
                }
            }
            Expr::InList(list) if !list.negated => {
                let values: Option<Vec<&ScalarValue>> =
                    list.list.iter().map(Expr::as_literal).collect();
                if let Some(values) = values {
                    self.parts(&list.expr, &values);
                }
            }
            _ => {}
        }
    }

    fn compare(&mut self, op: Operator, value: &ScalarValue) {
        let ScalarValue::Date32(Some(day)) = value else { return };
        match op {
            Operator::GtEq => self.first = self.first.max(*day),
            Operator::Gt => self.first = self.first.max(day.saturating_add(1)),
            Operator::LtEq => self.last = self.last.min(*day),
            Operator::Lt => self.last = self.last.min(day.saturating_sub(1)),
            Operator::Eq => {
                self.first = self.first.max(*day);
                self.last = self.last.min(*day);
            }
            _ => {}
        }
    }

    fn parts(&mut self, of: &Expr, values: &[&ScalarValue]) {
        let Expr::ScalarFunction(function) = of else { return };
        let (Some(text), [day]) =
            (function.func.inner().downcast_ref::<DayText>(), function.args.as_slice())
        else {
            return;
        };
        let numbers: BTreeSet<u32> = values
            .iter()
            .filter_map(|value| value.try_as_str().flatten())
            .filter(|text| text.len() == 2)
            .filter_map(|text| text.parse().ok())
            .collect();
        let set = match text.format {
            DayFormat::Month => &mut self.months,
            DayFormat::Day => &mut self.days,
            _ => return,
        };
        *set = Some(match set.take() {
            Some(known) => known.intersection(&numbers).copied().collect(),
            None => numbers,
        });
        self.on = Some(day.clone());
    }
}
