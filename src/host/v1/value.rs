//! Arguments: DuckDB's values of the v1 C API as [`Arg`]s.

use libduckdb_sys as ffi;
use tstable_core::{
    prune::expr::Constant,
    schema::{ColumnType, TimeUnit},
};

use super::{super::Arg, owned_text};

/// An owned value.
pub(super) struct Value(ffi::duckdb_value);

impl Drop for Value {
    fn drop(&mut self) {
        // SAFETY: this is the only owner of the handle.
        unsafe { ffi::duckdb_destroy_value(&raw mut self.0) };
    }
}

impl Value {
    /// Owns `raw`; none for null.
    ///
    /// # Safety
    /// `raw` is null or a live value that nobody else destroys.
    pub(super) unsafe fn own(raw: ffi::duckdb_value) -> Option<Self> {
        (!raw.is_null()).then_some(Self(raw))
    }

    pub(super) fn raw(&self) -> ffi::duckdb_value {
        self.0
    }

    /// An argument as its own type has it. What DuckDB 1.x gives of a text ends at its first zero byte: a text that goes on is of a type
    /// that no function takes, since what is before may be another name.
    pub(super) fn read_argument(&self) -> Arg {
        let read = self.read();
        if has_text(&read) && self.is_cut() {
            return Arg::Other(
                "a text with a zero byte, which DuckDB 1.x passes on in part only:".to_owned(),
                self.text(),
            );
        }
        read
    }

    /// Whether there is a text with a zero byte in it: what comes after the value in a list is then not in the list's text.
    fn is_cut(&self) -> bool {
        // SAFETY: the values are alive, the type is borrowed from one, and the list is owned here.
        unsafe {
            let Some(null) = Self::own(ffi::duckdb_create_null_value()) else { return false };
            let mut values = [self.0, null.0];
            let ty = ffi::duckdb_get_value_type(self.0);
            let list = Self::own(ffi::duckdb_create_list_value(ty, values.as_mut_ptr(), 2));
            list.is_some_and(|list| !list.text().ends_with(", NULL]"))
        }
    }

    /// The value as its own type has it, texts up to their first zero byte.
    pub(super) fn read(&self) -> Arg {
        // SAFETY: the value is alive; its type is borrowed from it and never destroyed.
        unsafe {
            if ffi::duckdb_is_null_value(self.0) {
                return Arg::Scalar(Constant::Null);
            }
            let ty = ffi::duckdb_get_value_type(self.0);
            let id = ffi::duckdb_get_type_id(ty);
            if let Some(constant) = self.plain(id).or_else(|| self.temporal(id)) {
                return Arg::Scalar(constant);
            }
            match id {
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_LIST => self.list(),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_STRUCT => self.structure(ty),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_MAP => self.map(),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_ENUM => Arg::Scalar(Constant::Text(self.text())),
                _ => Arg::Other(type_name(id).to_owned(), self.text()),
            }
        }
    }

    /// The value as text, whatever its type.
    fn text(&self) -> String {
        // SAFETY: the value is alive and the text is owned by the caller.
        unsafe { owned_text(ffi::duckdb_get_varchar(self.0)) }
    }

    /// # Safety
    /// `id` is the id of the value's type.
    unsafe fn plain(&self, id: ffi::duckdb_type) -> Option<Constant> {
        let value = self.0;
        // SAFETY: the value is alive, and each getter is asked for the value's own type.
        unsafe {
            Some(match id {
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_SQLNULL => Constant::Null,
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => Constant::Bool(ffi::duckdb_get_bool(value)),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_TINYINT => Constant::Int(ffi::duckdb_get_int8(value).into()),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT => Constant::Int(ffi::duckdb_get_int16(value).into()),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTEGER => Constant::Int(ffi::duckdb_get_int32(value).into()),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGINT => Constant::Int(ffi::duckdb_get_int64(value).into()),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT => Constant::Int(ffi::duckdb_get_uint8(value).into()),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT => Constant::Int(ffi::duckdb_get_uint16(value).into()),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER => Constant::Int(ffi::duckdb_get_uint32(value).into()),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_UBIGINT => Constant::Int(ffi::duckdb_get_uint64(value).into()),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT => Constant::Int(wide(ffi::duckdb_get_hugeint(value))),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_FLOAT => Constant::Float(ffi::duckdb_get_float(value).into()),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => Constant::Float(ffi::duckdb_get_double(value)),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_DECIMAL => {
                    let decimal = ffi::duckdb_get_decimal(value);
                    Constant::Decimal(wide(decimal.value), decimal.scale)
                }
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR => Constant::Text(self.text()),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_BLOB => Constant::Bytes(self.bytes()),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_UUID => {
                    let ffi::duckdb_uhugeint { upper, lower } = ffi::duckdb_get_uuid(value);
                    Constant::Uuid((u128::from(upper) << 64) | u128::from(lower))
                }
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTERVAL => {
                    let ffi::duckdb_interval { months, days, micros } = ffi::duckdb_get_interval(value);
                    Constant::Interval { months, days, micros }
                }
                _ => return None,
            })
        }
    }

    /// # Safety
    /// `id` is the id of the value's type.
    unsafe fn temporal(&self, id: ffi::duckdb_type) -> Option<Constant> {
        use TimeUnit::{Ms, Ns, S, Us};
        let value = self.0;
        // SAFETY: the value is alive, and each getter is asked for the value's own type.
        let (ty, count) = unsafe {
            match id {
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_DATE => (ColumnType::Date, ffi::duckdb_get_date(value).days.into()),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME => (ColumnType::Time(Us), ffi::duckdb_get_time(value).micros),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP => {
                    (ColumnType::Timestamp(Us), ffi::duckdb_get_timestamp(value).micros)
                }
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_S => {
                    (ColumnType::Timestamp(S), ffi::duckdb_get_timestamp_s(value).seconds)
                }
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_MS => {
                    (ColumnType::Timestamp(Ms), ffi::duckdb_get_timestamp_ms(value).millis)
                }
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_NS => {
                    (ColumnType::Timestamp(Ns), ffi::duckdb_get_timestamp_ns(value).nanos)
                }
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ => {
                    (ColumnType::TimestampTz(Us), ffi::duckdb_get_timestamp_tz(value).micros)
                }
                _ => return None,
            }
        };
        Some(Constant::Temporal(ty, count))
    }

    fn bytes(&self) -> Vec<u8> {
        // SAFETY: the value is a live blob, whose copy of the bytes is owned by the caller and freed here.
        unsafe {
            let blob = ffi::duckdb_get_blob(self.0);
            if blob.data.is_null() {
                return Vec::new();
            }
            let length = usize::try_from(blob.size).unwrap_or(0);
            let bytes = std::slice::from_raw_parts(blob.data.cast::<u8>(), length).to_vec();
            ffi::duckdb_free(blob.data);
            bytes
        }
    }

    fn list(&self) -> Arg {
        // SAFETY: the value is a live list; its children are owned by the caller.
        unsafe {
            let size = ffi::duckdb_get_list_size(self.0);
            Arg::List((0..size).map(|index| child(ffi::duckdb_get_list_child(self.0, index))).collect())
        }
    }

    /// # Safety
    /// `ty` is the type of the value, a struct.
    unsafe fn structure(&self, ty: ffi::duckdb_logical_type) -> Arg {
        // SAFETY: the value is a live struct; names and children are owned by the caller.
        unsafe {
            let field = |index| {
                let name = owned_text(ffi::duckdb_struct_type_child_name(ty, index));
                (name, child(ffi::duckdb_get_struct_child(self.0, index)))
            };
            Arg::Struct((0..ffi::duckdb_struct_type_child_count(ty)).map(field).collect())
        }
    }

    fn map(&self) -> Arg {
        // SAFETY: the value is a live map; its keys and values are owned by the caller.
        unsafe {
            let entry = |index| {
                (child(ffi::duckdb_get_map_key(self.0, index)), child(ffi::duckdb_get_map_value(self.0, index)))
            };
            Arg::Map((0..ffi::duckdb_get_map_size(self.0)).map(entry).collect())
        }
    }
}

fn has_text(arg: &Arg) -> bool {
    match arg {
        Arg::Scalar(constant) => matches!(constant, Constant::Text(_)),
        Arg::List(items) => items.iter().any(has_text),
        Arg::Struct(fields) => fields.iter().any(|(_, value)| has_text(value)),
        Arg::Map(entries) => entries.iter().any(|(key, value)| has_text(key) || has_text(value)),
        Arg::Other(..) => false,
    }
}

/// # Safety
/// `raw` is null or a live value that nobody else destroys.
unsafe fn child(raw: ffi::duckdb_value) -> Arg {
    // SAFETY: as the caller says.
    unsafe { Value::own(raw) }.map_or(Arg::Scalar(Constant::Null), |value| value.read())
}

fn wide(value: ffi::duckdb_hugeint) -> i128 {
    (i128::from(value.upper) << 64) | i128::from(value.lower)
}

/// The name of a type that no function takes, for messages.
fn type_name(id: ffi::duckdb_type) -> &'static str {
    match id {
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UHUGEINT => "UHUGEINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_TZ => "TIME WITH TIME ZONE",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_NS => "TIME_NS",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIT => "BIT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGNUM => "BIGNUM",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => "ARRAY",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UNION => "UNION",
        _ => "another type",
    }
}
