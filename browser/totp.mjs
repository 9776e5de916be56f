import { createHmac } from 'node:crypto';

/** What an authenticator app shows for a secret in base32 (RFC 6238: SHA-1, 6 digits, 30 seconds), or will show `steps` later. */
export function totp(secret, steps = 0) {
	const bits = [...secret.replace(/\W/g, '')].map((it) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(it).toString(2).padStart(5, '0')).join('');
	const key = Buffer.from(bits.match(/.{8}/g).map((it) => parseInt(it, 2)));
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
	const hash = createHmac('sha1', key).update(counter).digest();
	const number = hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff;
	return String(number % 1_000_000).padStart(6, '0');
}
