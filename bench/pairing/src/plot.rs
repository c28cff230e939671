//! A plot of lines over two logarithmic axes, as SVG that needs no script, no font and no style sheet, and reads on light
//! and on dark pages.

use std::fmt::{self, Write};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 56.0;

/// What is drawn.
pub(crate) struct Plot<'a> {
    pub(crate) title: &'a str,
    pub(crate) across: Axis<'a>,
    pub(crate) up: Axis<'a>,
    pub(crate) lines: Vec<Line<'a>>,
}

/// A logarithmic axis.
pub(crate) struct Axis<'a> {
    pub(crate) title: &'a str,
    /// The marks, in order; the first and the last are the ends.
    pub(crate) marks: Vec<(f64, &'a str)>,
}

pub(crate) struct Line<'a> {
    pub(crate) title: &'a str,
    pub(crate) colour: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Plot<'_> {
    /// The plot as a file.
    pub(crate) fn svg(&self) -> String {
        let mut svg = String::new();
        self.write(&mut svg).expect("a string takes any text");
        svg
    }

    fn write(&self, svg: &mut String) -> fmt::Result {
        writeln!(
            svg,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="13" fill="#777">"##
        )?;
        writeln!(svg, "<title>{}</title>", self.title)?;
        writeln!(svg, r#"<text x="{LEFT}" y="22" font-size="15" font-weight="600">{}</text>"#, self.title)?;
        self.legend(svg)?;
        self.grid(svg)?;
        for line in &self.lines {
            let points = line.points.iter().map(|(x, y)| format!("{:.1},{:.1}", self.x(*x), self.y(*y)));
            let points: Vec<String> = points.collect();
            let (colour, path) = (line.colour, points.join(" "));
            writeln!(
                svg,
                r#"<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5" stroke-linejoin="round"/>"#
            )?;
            for (x, y) in &line.points {
                writeln!(
                    svg,
                    r#"<circle cx="{:.1}" cy="{:.1}" r="3" fill="{colour}"/>"#,
                    self.x(*x),
                    self.y(*y)
                )?;
            }
        }
        writeln!(svg, "</svg>")
    }

    fn legend(&self, svg: &mut String) -> fmt::Result {
        let mut x = LEFT;
        for line in &self.lines {
            let (colour, text) = (line.colour, x + 22.0);
            writeln!(
                svg,
                r#"<path d="M{x} 40h16" stroke="{colour}" stroke-width="2.5"/><text x="{text}" y="44">{}</text>"#,
                line.title
            )?;
            x += 40.0 + 7.0 * line.title.len() as f64;
        }
        Ok(())
    }

    fn grid(&self, svg: &mut String) -> fmt::Result {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for (value, text) in &self.up.marks {
            let y = self.y(*value);
            writeln!(svg, r##"<path d="M{LEFT} {y:.1}H{right}" stroke="#8884"/>"##)?;
            writeln!(svg, r#"<text x="{}" y="{:.1}" text-anchor="end">{text}</text>"#, LEFT - 8.0, y + 4.5)?;
        }
        for (value, text) in &self.across.marks {
            let x = self.x(*value);
            writeln!(svg, r##"<path d="M{x:.1} {TOP}V{bottom}" stroke="#8884"/>"##)?;
            writeln!(svg, r#"<text x="{x:.1}" y="{}" text-anchor="middle">{text}</text>"#, bottom + 20.0)?;
        }
        let middle = (LEFT + right) / 2.0;
        writeln!(
            svg,
            r#"<text x="{middle}" y="{}" text-anchor="middle">{}</text>"#,
            HEIGHT - 12.0,
            self.across.title
        )?;
        let middle = (TOP + bottom) / 2.0;
        writeln!(
            svg,
            r#"<text transform="translate(18 {middle}) rotate(-90)" text-anchor="middle">{}</text>"#,
            self.up.title
        )
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + self.across.share(value) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.up.share(value) * (HEIGHT - TOP - BOTTOM)
    }
}

impl Axis<'_> {
    /// How far along the axis a value lies, between zero and one.
    fn share(&self, value: f64) -> f64 {
        let ends = self.marks.first().zip(self.marks.last());
        let (first, last) = ends.map_or((1.0, 10.0), |(first, last)| (first.0, last.0));
        ((value.max(f64::MIN_POSITIVE) / first).ln() / (last / first).ln()).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ratios_lie_equally_far_apart() {
        let axis = Axis { title: "", marks: vec![(1.0, "1"), (100.0, "100")] };
        assert_eq!([1.0, 10.0, 100.0, 0.0, 1e9].map(|value| axis.share(value)), [0.0, 0.5, 1.0, 0.0, 1.0]);
    }
}
