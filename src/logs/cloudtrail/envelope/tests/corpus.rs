use super::*;
#[test]
fn dump() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    for e in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let e = e.unwrap();
        if !e.file_type().is_file() {
            continue;
        }
        let mut b = std::fs::read(e.path()).unwrap();
        if b.starts_with(&[0x1f, 0x8b]) {
            use std::io::Read;
            let mut o = vec![];
            flate2::read::MultiGzDecoder::new(&b[..]).take(1 << 30).read_to_end(&mut o).unwrap();
            b = o;
        }
        let f = frame(&b);
        let shape = f
            .items
            .iter()
            .find_map(|i| match i {
                Got::Record { shape, .. } => Some(shape.as_str()),
                _ => None,
            })
            .unwrap_or("-");
        println!(
            "{}\t{:?}\t{}\t{}\t{}\t{:?}",
            e.path().strip_prefix(&root).unwrap().display(),
            f.kind,
            f.records().len(),
            f.n_rejects(),
            shape,
            f.beside
        );
    }
}
