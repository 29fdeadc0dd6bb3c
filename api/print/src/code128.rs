//! Code 128 (ISO/IEC 15417), set C: pairs of digits as bars, for scanners that read only bars.

use crate::page::Area;
use crate::text::times;

/// Widths of bar, gap, bar, … of each symbol, as the standard's table gives them; the last is stop.
const SYMBOLS: [&str; 107] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213", "221312",
    "231212", "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132", "221231", "213212",
    "223112", "312131", "311222", "321122", "321221", "312212", "322112", "322211", "212123", "212321", "232121",
    "111323", "131123", "131321", "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331",
    "132131", "113123", "113321", "133121", "313121", "211331", "231131", "213113", "213311", "213131", "311123",
    "311321", "331121", "312113", "312311", "332111", "314111", "221411", "431111", "111224", "111422", "121124",
    "121421", "141122", "141221", "112214", "112412", "122114", "122411", "142112", "142211", "241211", "221114",
    "413111", "241112", "134111", "111242", "121142", "121241", "114212", "124112", "124211", "411212", "421112",
    "421211", "212141", "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311",
    "113141", "114131", "311141", "411131", "211412", "211214", "211232", "2331112",
];
const START_C: usize = 105;
const STOP: usize = 106;

/// The bars of an even number of digits in `room`; none for anything else. Leave ten narrow bars free on both sides.
pub(crate) fn bars(digits: &str, room: Area) -> Vec<Area> {
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !digits.bytes().all(|d| d.is_ascii_digit()) {
        return Vec::new();
    }
    let mut symbols = vec![START_C];
    let signs: Vec<usize> = digits.bytes().map(|d| usize::from(d - b'0')).collect();
    symbols.extend(signs.chunks(2).map(|pair| pair.iter().fold(0, |n, d| n * 10 + d)));
    let sum: usize = symbols.iter().enumerate().map(|(place, symbol)| place.max(1) * symbol).sum();
    symbols.push(sum % 103);
    symbols.push(STOP);
    let widths: Vec<usize> = symbols
        .iter()
        .filter_map(|symbol| SYMBOLS.get(*symbol))
        .flat_map(|widths| widths.bytes().map(|w| usize::from(w - b'0')))
        .collect();
    let narrow = room.w / times(widths.iter().sum());
    let mut areas = Vec::new();
    let mut at = 0;
    for (index, width) in widths.iter().enumerate() {
        if index.is_multiple_of(2) {
            areas.push(Area::new(room.x + times(at) * narrow, room.y, times(*width) * narrow, room.h));
        }
        at += width;
    }
    areas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_is_eleven_wide_and_no_two_are_alike() {
        let total = |widths: &str| widths.bytes().map(|w| usize::from(w - b'0')).sum::<usize>();
        for (index, symbol) in SYMBOLS.iter().enumerate() {
            assert_eq!(total(symbol), if index == STOP { 13 } else { 11 }, "{index}");
            // Bars together are even: the standard's own parity.
            let bars: usize = symbol.bytes().step_by(2).map(|w| usize::from(w - b'0')).sum();
            assert!(index == STOP || bars.is_multiple_of(2), "{index}");
            assert!(SYMBOLS.iter().skip(index + 1).all(|other| other != symbol));
        }
        assert!(bars("123", Area::new(0.0, 0.0, 10.0, 10.0)).is_empty());
        assert!(bars("12a4", Area::new(0.0, 0.0, 10.0, 10.0)).is_empty());
    }
}
