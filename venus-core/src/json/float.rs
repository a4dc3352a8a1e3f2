//! Floating-point numbers as Go writes them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::LotusJson;

/// Up to here every whole number has a float of its own.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Go writes a whole number without a fraction: `1`, where serde writes `1.0`.
impl LotusJson for f64 {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.is_finite() {
            return Err(serde::ser::Error::custom("JSON has no infinity and no NaN"));
        }
        if self.fract() == 0.0 && self.abs() < MAX_EXACT {
            return serializer.serialize_i64(*self as i64);
        }
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn absent() -> Option<Self> {
        Some(0.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::json::Json;

    #[test]
    fn as_go_writes_them() {
        for text in ["0", "1", "-3", "1.25", "1e300", "9007199254740991", "0.1"] {
            let value: Json<f64> = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap().replace('+', ""), text);
        }
        assert!(serde_json::to_string(&Json(f64::NAN)).is_err());
        assert!(serde_json::to_string(&Json(f64::INFINITY)).is_err());
        assert!(serde_json::from_str::<Json<f64>>("NaN").is_err());
        assert!(serde_json::from_str::<Json<f64>>("1e400").is_err());
    }
}
