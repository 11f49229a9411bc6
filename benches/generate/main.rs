//! `cargo run --release --example generate -- --out DIR --events N`: an archive of
//! `CloudTrail` records of our own making, for benchmarks and for trying things out.

use std::{io, path::PathBuf, time::Instant};

use clap::{Parser, ValueEnum};

#[path = "mod.rs"]
mod generate;

use generate::{Mix, Options};

/// Writes an archive of `CloudTrail` records of our own making. The same options, the same bytes.
#[derive(Debug, Parser)]
struct Arguments {
    /// The directory to write below; it should be empty.
    #[arg(long)]
    out: PathBuf,
    /// How many distinct events.
    #[arg(long, default_value_t = 100_000)]
    events: u64,
    /// What everything depends on.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Accounts that deliver.
    #[arg(long, default_value_t = 8)]
    accounts: usize,
    /// Regions they deliver from.
    #[arg(long, default_value_t = 5)]
    regions: usize,
    /// Days over which the events are spread.
    #[arg(long, default_value_t = 60)]
    days: u32,
    /// The first of these days.
    #[arg(long, default_value = "2024-01-01", value_parser = day)]
    start: i64,
    /// How events are spread over files: many small and a few large, about five each, or one file.
    #[arg(long, default_value = "default")]
    files_mix: FilesMix,
    /// Gzipped or plain files (`single` is always plain).
    #[arg(long, default_value = "gz")]
    format: Format,
    /// Records delivered twice, in per cent of the events: `0.5%`.
    #[arg(long, default_value = "0%", value_parser = per_million)]
    duplicates: u64,
    /// Threads; as many as cores unless told. The bytes do not depend on it.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FilesMix {
    Default,
    Tiny,
    Single,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Gz,
    Plain,
}

fn day(text: &str) -> Result<i64, String> {
    generate::parse_day(text).ok_or_else(|| "expected a day like 2024-01-01".to_owned())
}

/// `0.5%` as parts per million.
fn per_million(text: &str) -> Result<u64, String> {
    let number = text.trim_end_matches('%');
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{part:0<4}");
    match digits.parse() {
        Ok(parts) if part.len() <= 4 && parts <= 1_000_000 => Ok(parts),
        _ => Err("expected a percentage like 0.5%".to_owned()),
    }
}

#[expect(clippy::print_stdout, reason = "a program that tells what it did")]
fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let options = Options {
        events: arguments.events,
        seed: arguments.seed,
        accounts: arguments.accounts,
        regions: arguments.regions,
        days: arguments.days,
        start: arguments.start,
        mix: match arguments.files_mix {
            FilesMix::Default => Mix::Default,
            FilesMix::Tiny => Mix::Tiny,
            FilesMix::Single => Mix::Single,
        },
        gz: arguments.format == Format::Gz,
        duplicates_ppm: arguments.duplicates,
        threads: arguments.threads,
    };
    let began = Instant::now();
    let summary = generate::write(&options, &arguments.out)?;
    println!(
        "{} files, {} events, {} duplicates, {} bytes of JSON, {} bytes stored, {:.1} s",
        summary.files,
        summary.events,
        summary.duplicates,
        summary.raw_bytes,
        summary.stored_bytes,
        began.elapsed().as_secs_f64(),
    );
    Ok(())
}
