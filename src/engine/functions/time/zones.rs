//! Time zones of timestamps.
//!
//! <https://trino.io/docs/current/functions/datetime.html#time-zone-conversion>

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::{
    common::plan_err,
    error::Result,
    logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs},
};

use super::{
    super::{
        Function,
        call::{Call, scalar},
    },
    FAMILY,
    values::{Count, Param, coerce, first, instant, zoned},
    zone::Zone,
};

pub(super) fn functions() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "at_timezone",
            [],
            "at_timezone(timestamp, zone) → timestamp with time zone",
            "The same instant in another zone, which is a literal: `x AT TIME ZONE zone`.",
            [(
                "to_iso8601(at_timezone(from_iso8601_timestamp('2024-03-05T10:00:00Z'), 'Asia/Tokyo'))",
                "2024-03-05T19:00:00.000+09:00",
            )],
            |types| coerce("at_timezone", &[&[Param::Moment, Param::Text]], types),
            in_zone,
            at_timezone,
        ),
        scalar!(
            FAMILY,
            "with_timezone",
            [],
            "with_timezone(timestamp, zone) → timestamp with time zone",
            "The instant at which clocks in the zone, a literal, show the timestamp.",
            [(
                "to_iso8601(with_timezone(TIMESTAMP '2024-03-05 10:00:00', 'Asia/Tokyo'))",
                "2024-03-05T10:00:00+09:00",
            )],
            |types| coerce("with_timezone", &[&[Param::Moment, Param::Text]], types),
            |args| match first(args)? {
                DataType::Timestamp(_, Some(_)) => {
                    plan_err!("with_timezone takes a timestamp that has no time zone yet")
                }
                _ => in_zone(args),
            },
            with_timezone,
        ),
    ]
}

/// The zone that argument `index` names, which is a literal since the type has it. UTC for NULL.
pub(super) fn literal_zone(args: &ReturnFieldArgs<'_>, index: usize) -> Result<Zone> {
    match args.scalar_arguments.get(index).copied().flatten() {
        Some(value) => match value.try_as_str().flatten() {
            Some(name) => Zone::named(name),
            None => Ok(Zone::Utc),
        },
        None => {
            plan_err!("the time zone must be a literal: all values of a column are in one zone")
        }
    }
}

fn in_zone(args: &ReturnFieldArgs<'_>) -> Result<DataType> {
    let zone = literal_zone(args, 1)?;
    Ok(match first(args)? {
        DataType::Timestamp(unit, _) => zoned(unit, zone),
        _ => zoned(TimeUnit::Millisecond, zone),
    })
}

fn at_timezone(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (moments, names) = (call.moments(0)?, call.texts(1)?);
    let to = Count::of(args.return_type())?;
    call.stamps(args.return_type(), |row| match (moments.utc(row)?, names.get(row)) {
        (Some(utc), Some(_)) => to.count(utc).map(Some),
        _ => Ok(None),
    })
}

fn with_timezone(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (moments, names) = (call.moments(0)?, call.texts(1)?);
    let to = Count::of(args.return_type())?;
    let zone = match args.return_type() {
        DataType::Timestamp(_, name) => Zone::of(name.as_deref())?,
        _ => Zone::Utc,
    };
    call.stamps(args.return_type(), |row| match (moments.utc(row)?, names.get(row)) {
        (Some(wall), Some(_)) => to.count(instant(zone, wall, None)?).map(Some),
        _ => Ok(None),
    })
}
