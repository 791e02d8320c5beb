//! `nanoBragg plot` and `-report` on the command line.

use nanobragg_tests::binary::Scene;
use resvg_free::cells;

/// A small image with a background, which renders quickly.
const SMALL: &str = "-cell 70 80 90 -default_F 120 -N 5 -distance 70 -pixel 0.8 -detpixels 32 -water 60 -seed 1 \
     -fluence 1e26 -quiet -nodefaultfiles";

mod resvg_free {
    /// The cells of the rows of a page, with tags and entities taken away.
    pub(super) fn cells(html: &str) -> Vec<Vec<String>> {
        let rows = html.split("<tr>").skip(1);
        let rows = rows.map(|row| row.split("</tr>").next().unwrap_or_default());
        rows.map(|row| {
            let cells = row.split("</td>").filter_map(|cell| cell.rsplit_once("<td>"));
            cells.map(|(_, cell)| cell.to_owned()).collect()
        })
        .collect()
    }
}
