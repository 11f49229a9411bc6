//! Shares and their bounds, and the way over the globe.
//!
//! <https://trino.io/docs/current/functions/math.html#statistical-functions>,
//! <https://trino.io/docs/current/functions/geospatial.html#great_circle_distance>

use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};

use super::{
    super::{
        Function,
        call::{
            Call,
            Kind::{BigInt, Double},
            double, given, scalar, take,
        },
    },
    FAMILY,
};

pub(super) fn functions() -> Vec<Function> {
    vec![
        scalar!(
            FAMILY,
            "wilson_interval_lower",
            [],
            "wilson_interval_lower(successes, trials, z) → double",
            "The lower bound of the Wilson score interval of a share, at a confidence that z, the \
             score, stands for.",
            [("round(wilson_interval_lower(1250, 1310, 1.96e0), 4)", "0.9415")],
            |types| take(types, &[&[BigInt, BigInt, Double]]),
            double,
            |args| wilson(args, -1.0)
        ),
        scalar!(
            FAMILY,
            "wilson_interval_upper",
            [],
            "wilson_interval_upper(successes, trials, z) → double",
            "The upper bound of the Wilson score interval of a share, at a confidence that z, the \
             score, stands for.",
            [("round(wilson_interval_upper(1250, 1310, 1.96e0), 4)", "0.9643")],
            |types| take(types, &[&[BigInt, BigInt, Double]]),
            double,
            |args| wilson(args, 1.0)
        ),
        scalar!(
            FAMILY,
            "great_circle_distance",
            [],
            "great_circle_distance(latitude1, longitude1, latitude2, longitude2) → double",
            "The kilometres between two points on the earth, in degrees.",
            [("round(great_circle_distance(36.12, -86.67, 33.94, -118.40))", "2886.0")],
            |types| take(types, &[&[Double, Double, Double, Double]]),
            double,
            great_circle
        ),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "as in Trino")]
fn wilson(args: &ScalarFunctionArgs, sign: f64) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (successes, trials, scores) = (call.longs(0)?, call.longs(1)?, call.doubles(2)?);
    call.make_doubles(|row| {
        let (successes, trials) = (given!(successes.get(row)), given!(trials.get(row)));
        let z = given!(scores.get(row));
        if successes < 0 || trials <= 0 || successes > trials || z < 0.0 {
            return exec_err!(
                "of {trials} trials {successes} successes, with the score {z}, is no share: there \
                 are one trial or more, no more successes than trials, and nothing is negative"
            );
        }
        let n = trials as f64;
        let p = successes as f64 / n;
        let about = z * ((p * (1.0 - p) + z * z / (4.0 * n)) / n).sqrt();
        Ok(Some((p + z * z / (2.0 * n) + sign * about) / (1.0 + z * z / n)))
    })
}

/// The earth's mean radius, as Trino has it.
const EARTH_KILOMETRES: f64 = 6371.01;

fn great_circle(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let at = [call.doubles(0)?, call.doubles(1)?, call.doubles(2)?, call.doubles(3)?];
    call.make_doubles(|row| {
        let [latitude1, longitude1, latitude2, longitude2] = &at;
        let latitudes = (given!(latitude1.get(row)), given!(latitude2.get(row)));
        let longitudes = (given!(longitude1.get(row)), given!(longitude2.get(row)));
        for latitude in [latitudes.0, latitudes.1] {
            if !(-90.0..=90.0).contains(&latitude) {
                return exec_err!("a latitude is from -90 to 90, not {latitude}");
            }
        }
        for longitude in [longitudes.0, longitudes.1] {
            if !(-180.0..=180.0).contains(&longitude) {
                return exec_err!("a longitude is from -180 to 180, not {longitude}");
            }
        }
        let (sin1, cos1) = latitudes.0.to_radians().sin_cos();
        let (sin2, cos2) = latitudes.1.to_radians().sin_cos();
        let apart = longitudes.0.to_radians() - longitudes.1.to_radians();
        let across = cos2 * apart.sin();
        let along = cos1 * sin2 - sin1 * cos2 * apart.cos();
        let towards = sin1 * sin2 + cos1 * cos2 * apart.cos();
        let angle = (across * across + along * along).sqrt().atan2(towards);
        Ok(Some(angle * EARTH_KILOMETRES))
    })
}
