/** What `check` gives as soon as it is something; fails with what was waited for. */
export async function until(what, check, milliseconds = 20_000) {
	const end = Date.now() + milliseconds;
	for (;;) {
		const found = await check();
		if (found) return found;
		if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
		await new Promise((resolve) => { setTimeout(resolve, 25); });
	}
}
