//! FIRST's EPSS scores: CSV, plain or gzip, with a comment line that names the model and the day.
//!
//! ```text
//! #model_version:v2025.03.14,score_date:2025-08-25T00:00:00+0000
//! cve,epss,percentile
//! CVE-1999-0001,0.01168,0.78139
//! ```

use std::io::{BufRead, BufReader, Read};

use yagura_model::SkipReason;

use super::{Day, Problem};

/// Bytes that are read, inflated; the real file has about 10 MB.
pub const MAX_BYTES: u64 = 512 << 20;
/// Longest line; real ones have some 35 bytes.
const MAX_LINE_BYTES: u64 = 1_024;
/// Broken lines that are reported one by one before the rest is only counted.
const MAX_REPORTED: usize = 20;

/// Probabilities are kept in millionths: finer than the five decimals FIRST publishes, and the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    pub probability: u32,
    pub percentile: u32,
}

/// What the file says beside the scores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub model: String,
    pub date: Option<Day>,
    pub scores: u64,
    pub problems: Vec<Problem>,
}

/// Reads the file and hands over each score; gzip is recognised by its magic bytes.
pub fn read(reader: impl Read, mut each: impl FnMut(&str, Score)) -> Result<Summary, Problem> {
    let mut reader = BufReader::new(reader);
    let start = reader.fill_buf().map_err(unreadable)?;
    if start.starts_with(&[0x1f, 0x8b]) {
        lines(BufReader::new(flate2::read::MultiGzDecoder::new(reader)), &mut each)
    } else {
        lines(reader, &mut each)
    }
}

fn lines(reader: impl BufRead, each: &mut impl FnMut(&str, Score)) -> Result<Summary, Problem> {
    let mut reader = reader.take(MAX_BYTES);
    let mut summary = Summary::default();
    let mut line = String::new();
    let mut broken: u64 = 0;
    for number in 1_u64.. {
        line.clear();
        let read = (&mut reader).take(MAX_LINE_BYTES).read_line(&mut line).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        let text = line.trim();
        if let Some(comment) = text.strip_prefix('#') {
            for part in comment.split(',') {
                match part.split_once(':') {
                    Some(("model_version", model)) => summary.model = model.chars().take(64).collect(),
                    Some(("score_date", date)) => summary.date = Day::parse(date),
                    _ => {}
                }
            }
        } else if text.is_empty() || text.starts_with("cve,") {
            continue;
        } else if let Some((cve, score)) = row(text) {
            each(cve, score);
            summary.scores += 1;
        } else {
            broken += 1;
            if summary.problems.len() < MAX_REPORTED {
                summary
                    .problems
                    .push(Problem::malformed(format!("line {number} is not `cve,epss,percentile`")));
            }
        }
    }
    if broken > MAX_REPORTED as u64 {
        summary.problems.push(Problem::malformed(format!("{broken} lines in all are broken")));
    }
    if reader.limit() == 0 {
        summary.problems.push(Problem::new(SkipReason::TooLarge, format!("read up to {MAX_BYTES} bytes")));
    }
    Ok(summary)
}

fn row(text: &str) -> Option<(&str, Score)> {
    let mut fields = text.split(',');
    let cve = fields.next()?.trim();
    let score = Score { probability: millionths(fields.next()?)?, percentile: millionths(fields.next()?)? };
    (cve.starts_with("CVE-") && cve.len() <= 32).then_some((cve, score))
}

/// A number from 0 to 1 in millionths.
fn millionths(text: &str) -> Option<u32> {
    let value: f64 = text.trim().parse().ok()?;
    // Between 0 and 1,000,000, so the conversion cannot cut anything but the fraction.
    (0.0..=1.0).contains(&value).then(|| (value * 1e6).round() as u32)
}

fn unreadable(error: std::io::Error) -> Problem {
    Problem::new(SkipReason::Unreadable, error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const CSV: &str = "#model_version:v2025.03.14,score_date:2025-08-25T00:00:00+0000\ncve,epss,percentile\n\
        CVE-1999-0001,0.01168,0.78139\nCVE-2021-44228,0.94358,1.0\nCVE-2,7,0.1\nnonsense\n";

    fn scores(bytes: &[u8]) -> (Vec<(String, u32, u32)>, Summary) {
        let mut scores = Vec::new();
        let summary =
            read(bytes, |cve, s| scores.push((cve.to_owned(), s.probability, s.percentile))).unwrap();
        (scores, summary)
    }

    #[test]
    fn reads_plain_and_gzip_alike() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(CSV.as_bytes()).unwrap();
        for bytes in [CSV.as_bytes(), &gzip.finish().unwrap()] {
            let (scores, summary) = scores(bytes);
            assert_eq!(
                scores,
                [("CVE-1999-0001".into(), 11_680, 781_390), ("CVE-2021-44228".into(), 943_580, 1_000_000)]
            );
            assert_eq!((summary.model.as_str(), summary.scores), ("v2025.03.14", 2));
            assert_eq!(summary.date.map(|day| day.to_string()).as_deref(), Some("2025-08-25"));
            assert_eq!(summary.problems.len(), 2);
        }
    }

    #[test]
    fn one_endless_line_is_cut_not_kept() {
        let (scores, summary) = scores(&vec![b'x'; 1 << 20]);
        assert!(scores.is_empty());
        assert!(summary.problems.len() <= MAX_REPORTED + 1);
    }
}
