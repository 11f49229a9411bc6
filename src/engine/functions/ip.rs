//! IP addresses: <https://trino.io/docs/current/functions/ip.html> and the type `IPADDRESS` of
//! <https://trino.io/docs/current/language/types.html#ipaddress>.
//!
//! An address is sixteen bytes, IPv4 mapped into IPv6, so that addresses compare as bytes.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, LazyLock},
};

use arrow::{
    array::{Array, AsArray, FixedSizeBinaryBuilder},
    datatypes::DataType,
};
use datafusion::{
    common::exec_err,
    error::Result,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF},
};

use super::{
    Function, Made, arrays,
    call::{
        ADDRESS, Call,
        Kind::{Address, Varbinary, Varchar},
        boolean, given, quoted, take, varchar,
    },
    scalar::{Scalar, is_varchar},
};

pub(in crate::engine) use super::call::is_address;

const FAMILY: &str = "IP addresses";

pub(super) fn functions() -> Vec<Function> {
    vec![Function {
        name: "contains",
        aliases: &[],
        family: FAMILY,
        signature: "contains(network, address) or contains(array, element) → boolean",
        text: "Whether a network such as `10.0.0.0/8` has the address, or an array the element. For \
               an array with a NULL and without the element it is NULL. With an array of constants \
               it is as fast as `IN`.",
        examples: &[
            ("contains('10.0.0.0/8', '10.1.2.3')", "true"),
            ("contains(ARRAY['a', 'b'], 'c')", "false"),
        ],
        make: || {
            let contains = Scalar::new("contains", contains_types, boolean, contains);
            Scalar { simplify: Some(arrays::contains_any_of), ..contains }.made()
        },
    }]
}

fn made(scalar: Scalar) -> Option<Arc<ScalarUDF>> {
    match scalar.made() {
        Made::Scalar(function) => Some(Arc::new(function)),
        _ => None,
    }
}

/// What casts to `ipaddress` become.
pub(in crate::engine) static FROM_TEXT: LazyLock<Option<Arc<ScalarUDF>>> = LazyLock::new(|| {
    made(Scalar::new("to_ipaddress", castable, |_| Ok(ADDRESS), |args| to_address(args, false)))
});

/// What `TRY_CAST` to `ipaddress` becomes.
pub(in crate::engine) static TRY_FROM_TEXT: LazyLock<Option<Arc<ScalarUDF>>> =
    LazyLock::new(|| {
        let run = |args: &_| to_address(args, true);
        made(Scalar::new("try_to_ipaddress", castable, |_| Ok(ADDRESS), run))
    });

/// What casts of `ipaddress` to `varchar` become.
pub(in crate::engine) static TO_TEXT: LazyLock<Option<Arc<ScalarUDF>>> = LazyLock::new(|| {
    made(Scalar::new("ipaddress_text", |types| take(types, &[&[Address]]), varchar, to_text))
});

fn castable(types: &[DataType]) -> Result<Vec<DataType>> {
    take(types, &[&[Varchar], &[Address], &[Varbinary]])
}

/// The sixteen bytes of `address`.
fn bytes_of(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// The address that `bytes` stand for: four, or sixteen with IPv4 mapped.
fn address_of(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::V4(Ipv4Addr::from(four)));
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(sixteen).to_canonical())
}

fn to_address(args: &ScalarFunctionArgs, lenient: bool) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (array, _) = call.column(0)?;
    if is_address(array.data_type()) {
        return call.finish(Arc::clone(array));
    }
    let (texts, bytes) = (call.texts(0).ok(), call.bytes(0).ok());
    let mut addresses = FixedSizeBinaryBuilder::with_capacity(call.rows(), 16);
    for row in 0..call.rows() {
        let text = texts.as_ref().and_then(|texts| texts.get(row));
        let bytes = bytes.as_ref().and_then(|bytes| bytes.get(row));
        let address = match (text, bytes) {
            (Some(text), _) => text.parse().ok(),
            (_, Some(bytes)) => address_of(bytes),
            _ => {
                addresses.append_null();
                continue;
            }
        };
        match (address, text) {
            (Some(address), _) => addresses.append_value(bytes_of(address))?,
            _ if lenient => addresses.append_null(),
            (None, Some(text)) => {
                return exec_err!("cannot cast {} to ipaddress: it is no IP address", quoted(text));
            }
            _ => return exec_err!("cannot cast to ipaddress: 4 or 16 bytes are expected"),
        }
    }
    call.finish(Arc::new(addresses.finish()))
}

fn to_text(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let addresses = Addresses::of(&call, 0)?;
    call.write_text(|row, out| {
        out.push_str(&given!(addresses.get(row)?).to_string());
        Ok(Some(()))
    })
}

/// Addresses of an argument, by row.
enum Addresses<'a> {
    Bytes(&'a arrow::array::FixedSizeBinaryArray, bool),
    Text(super::call::Texts<'a>),
}

impl<'a> Addresses<'a> {
    fn of(call: &'a Call, index: usize) -> Result<Self> {
        let (array, one) = call.column(index)?;
        match array.as_fixed_size_binary_opt() {
            Some(array) => Ok(Self::Bytes(array, one)),
            None => Ok(Self::Text(call.texts(index)?)),
        }
    }

    fn get(&self, row: usize) -> Result<Option<IpAddr>> {
        match self {
            Self::Bytes(array, one) => {
                let row = if *one { 0 } else { row };
                Ok(if array.is_null(row) { None } else { address_of(array.value(row)) })
            }
            Self::Text(texts) => {
                let text = given!(texts.get(row));
                if let Ok(address) = text.parse() {
                    Ok(Some(address))
                } else {
                    exec_err!(
                        "{} is no IP address; TRY_CAST(… AS ipaddress) makes NULL of such text",
                        quoted(text)
                    )
                }
            }
        }
    }
}

fn contains_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [DataType::List(item), needle] => {
            let known = [item.data_type().clone(), needle.clone()];
            let common = arrays::common_element(&known)?;
            let item = item.as_ref().clone().with_data_type(common.clone());
            Ok(vec![DataType::List(Arc::new(item)), common])
        }
        [network, _] if is_varchar(network) || network.is_null() => {
            take(types, &[&[Varchar, Address], &[Varchar, Varchar]])
        }
        _ => take(types, &[]),
    }
}

fn contains(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let call = Call::of(args)?;
    let (first, _) = call.column(0)?;
    if matches!(first.data_type(), DataType::List(_)) {
        return arrays::contains(&call);
    }
    let (networks, addresses) = (call.texts(0)?, Addresses::of(&call, 1)?);
    let mut last: Option<(&str, Network)> = None;
    call.make_booleans(|row| {
        let text = given!(networks.get(row));
        let address = given!(addresses.get(row)?);
        let network = match &last {
            Some((seen, network)) if *seen == text => network,
            _ => &last.insert((text, Network::parse(text)?)).1,
        };
        Ok(Some(network.has(address)))
    })
}

/// Addresses that have their first bits in common.
#[derive(Debug, Clone, Copy)]
struct Network {
    address: IpAddr,
    length: u32,
}

impl Network {
    fn parse(text: &str) -> Result<Self> {
        let parsed = text.split_once('/').and_then(|(address, length)| {
            let address: IpAddr = address.parse().ok()?;
            let digits = length.bytes().all(|byte| byte.is_ascii_digit());
            let length: u32 = length.parse().ok().filter(|_| digits)?;
            let longest = if address.is_ipv4() { 32 } else { 128 };
            let network = match (address.to_canonical(), address.is_ipv6()) {
                // `::ffff:10.0.0.0/104` is 10.0.0.0/8.
                (mapped @ IpAddr::V4(_), true) => {
                    Self { address: mapped, length: length.checked_sub(96)? }
                }
                _ => Self { address, length },
            };
            (length <= longest).then_some(network)
        });
        if let Some(network) = parsed {
            Ok(network)
        } else {
            exec_err!("{} is no network such as 10.0.0.0/8", quoted(text))
        }
    }

    fn has(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let apart = network.to_bits() ^ address.to_bits();
                apart.leading_zeros() >= self.length
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let apart = network.to_bits() ^ address.to_bits();
                apart.leading_zeros() >= self.length
            }
            _ => false,
        }
    }
}
