export let locale = localStorage.getItem('locale') ?? navigator.languages.find(it => /^(en|ko)\b/.test(it))?.slice(0, 2) ?? 'en'

let zone

const mark = () => {document.documentElement.lang = locale}
mark()

export function setLocale(wanted, time_zone) {
	locale = wanted
	zone = time_zone
	mark()
	localStorage.setItem('locale', wanted)
}

// Key, English, Korean; the English of `in_progress` is `In progress` where nothing is said.
const TABLE = `
#app
tagline|Hand work over. Those it concerns get one clear mail.|일을 건네세요. 관련된 사람에게 메일 한 통이 갑니다.
more|Show more|더 보기
leave|Leave without saving?|저장하지 않고 나갈까요?
sure|Sure? There is no way back.|되돌릴 수 없습니다. 할까요?
#nav
label|Main|주 메뉴
mine|My tasks|내 작업
projects||프로젝트
invitations||초대
settings||설정
notifications|Updates|알림
#session
logIn|Log in|로그인
logOut|Log out|로그아웃
signUp|Sign up|가입하기
email||이메일
name||이름
password||비밀번호
ended|Your session has ended. Please log in again.|세션이 끝났습니다. 다시 로그인하세요.
checkInbox|Check your inbox|메일함을 확인하세요
linkSent|We sent a link to {email}.|{email} 주소로 링크를 보냈습니다.
verify|Choose a password|비밀번호 정하기
ready|Your password is set.|비밀번호를 정했습니다.
dead|This link has expired or was used.|만료되었거나 쓰인 링크입니다.
code||코드
codeHint|6 digits of your app, or a recovery code|인증 앱의 숫자 6자리 또는 복구 코드
#password
show|Show password|비밀번호 표시
hint|15 characters or more, as a few words|15자 이상, 단어 몇 개
new|New password|새 비밀번호
current|Current password|현재 비밀번호
change|Change password|비밀번호 변경
changed|Changed. Other sessions ended.|변경했습니다. 다른 세션은 끝났습니다.
forgot|Forgot your password?|비밀번호를 잊으셨나요?
sendLink|Mail me a link|메일로 링크 받기
#email
confirm||확인
changed|Your account has the new address.|이제 새 주소를 씁니다.
newAddress|New address|새 주소
change|Change address|이메일 주소 변경
asked|Follow the links in both mailboxes within a day.|하루 안에 두 메일함의 링크를 여세요.
next|Now follow the link in the other mailbox.|다른 메일함의 링크도 여세요.
#form
addLabel|Type and press Enter|입력 후 Enter
removeLabel|Remove {label}|{label} 빼기
save||저장
saved||저장했습니다
#status
waiting||대기
in_progress||진행 중
done||완료
#priority
none||없음
low||낮음
medium||보통
high||높음
urgent||긴급
#role
viewer||뷰어
editor||편집자
owner||소유자
#mine
empty|Your tasks of all projects show up here. To start, make a project or accept an invitation.|모든 프로젝트의 내 작업이 여기에 보입니다. 프로젝트를 만들거나 초대를 수락해 시작하세요.
#projects
create|New project|새 프로젝트
createSubmit|Create|만들기
name|Project name|프로젝트 이름
none|No projects yet|아직 프로젝트가 없습니다
rename||이름 바꾸기
delete|Delete project|프로젝트 삭제
#board
new|New task|새 작업
create|Create task|작업 만들기
created|Created: {title}|만들었습니다: {title}
none|No tasks|작업 없음
views||보기
table||표
board||보드
overview||개요
activity||활동
people||구성원
beside|Column beside|옆 열
move|Move card|카드 옮기기
#table
unsaved|Not saved|저장 안 됨
next|Next task|다음 작업
previous|Previous task|이전 작업
open|Open task|작업 열기
#filter
text|Filter by title|제목으로 찾기
me||나
sort||정렬
clear||지우기
count|Tasks: {count}|작업 {count}개
#people
you|you|나
unknown|former member|이전 구성원
left|{name} (left)|{name} (나감)
role||역할
invite|Send invitation|초대 보내기
invited|Invitation sent to {email}|{email} 주소로 초대를 보냈습니다
withdraw|Withdraw invitation|초대 취소
remove||내보내기
leave|Leave project|프로젝트 나가기
#task
title||제목
description||설명
status||상태
assignee||담당자
priority||우선순위
due_on|Due|마감일
labels||라벨
project||프로젝트
updated_at|Updated|변경
nobody||없음
empty|empty|비어 있음
back|Back to the list|목록으로
discard|Discard my edit|내 편집 버리기
delete||삭제
deleted||삭제했습니다
#conflict
title|Changed by others meanwhile|그 사이에 다른 사람이 바꿨습니다
text|{name} saved {when}. Yours is not saved yet.|{name} 님이 {when} 저장했습니다. 내 편집은 저장 전입니다.
now|Theirs|다른 사람
yours||내 편집
theirs|Take theirs|다른 사람 것으로
#outbox
waiting|Changes not saved yet: {count}. Trying again.|저장 안 된 변경 {count}건. 다시 시도합니다.
undo||되돌리기
kept|Not deleted, as just changed: {title}|방금 바뀌어 삭제하지 않음: {title}
#history
title|History|기록
created|created this task|님이 만들었습니다
updated|made changes|님이 바꿨습니다
deleted|deleted this task|님이 삭제했습니다
undeliverable|cannot be reached by mail|님에게 메일이 가지 않습니다
text|Show text|내용 보기
told|Who was told|알림 받은 사람
nobody|Nobody was to be told.|받을 사람이 없었습니다.
waiting|to be mailed|메일 발송 예정
sent|was mailed|메일 보냄
suppressed|was not mailed|메일 보내지 않음
bounced|mail came back|메일 반송됨
#notifications
read|Mark as read|읽음으로 표시
all|Mark all as read|모두 읽음으로 표시
none|Nothing yet.|아직 없습니다.
guest|Somebody invited|초대받은 사람
assignee|assigned to you|내가 담당자
former_assignee|was assigned to you|내가 담당하던 작업
creator|created by you|내가 만든 작업
watcher|you watch it|지켜보는 작업
owner|you own the project|내가 소유한 프로젝트
#subscription
title|Tell me of|받을 소식
default|What concerns me|나와 관련된 것
watch|Everything|모두
mute|Nothing by mail|메일 받지 않음
#invitations
none|No invitations|초대가 없습니다
as|{name} invites you as {role}|{name} 님이 {role}로 초대했습니다
accept||수락
decline||거절
#overview
flow|Tasks by day|날짜별 작업
cycle|Days from start to done|시작부터 완료까지 걸린 일수
median|Half of the last {count}: at most {days} (dashed)|최근 {count}건의 절반은 {days}일 이내(점선)
open|Open tasks by person|담당자별 남은 작업
#keys
title|Keyboard shortcuts|단축키
close||닫기
#settings
locale|Language|언어
time_zone||시간대
notify|Mail me when|메일로 받기
now|At once|바로
digest|Once a day|하루 한 번
none|Never|받지 않음
assigned|a task is new or changes hands|작업을 맡거나 놓을 때
status|a task moves|작업 상태가 바뀔 때
edited|a task is edited|작업이 편집될 때
deleted|a task is deleted|작업이 삭제될 때
digest_hour|Once a day, at|하루 한 번 오는 시각
quiet|Quiet hours|방해 금지 시간
from||시작
to||끝
urgent|Urgent tasks come through|긴급 작업은 받기
#sessions
title|Sessions|로그인한 기기
unknown|Unknown device|알 수 없는 기기
current|this one|현재 기기
times|Since {since}, last used {used}|{since}부터 · {used} 사용
end||끝내기
endOthers|End all others|다른 기기 모두 끝내기
#factor
title|Second factor|2단계 인증
on|on|켜짐
off|off|꺼짐
switchOn|Switch on|켜기
add|Add this key to your authenticator app|이 키를 인증 앱에 추가하세요
codes|Your recovery codes|복구 코드
once|Keep it: it is not shown again.|다시 보이지 않으니 보관하세요.
kept|I have kept it|보관했습니다
since|On since {since}; recovery codes left: {left}|{since}부터 켜짐 · 남은 복구 코드 {left}개
renew|Replace the recovery codes|복구 코드 새로 받기
switchOff|Switch off|끄기
newPassword|If yours is shorter than 15 characters|지금 비밀번호가 15자보다 짧다면
#tokens
title|API tokens|API 토큰
make|New token|새 토큰
access||권한
read||읽기
write|Read and write|읽기와 쓰기
everywhere|All projects|모든 프로젝트
life|Good for|사용 기간
days|{days} days|{days}일
until|until {when}|{when}까지
used|used {when}|{when} 사용
unused|never used|사용한 적 없음
revoke||폐기
#event
title|What happened|보안 기록
new_device||새 기기에서 로그인
password_changed||비밀번호 변경
password_reset||비밀번호 재설정
second_factor_on||2단계 인증 켬
second_factor_off||2단계 인증 끔
recovery_code_used||복구 코드 사용
recovery_codes_renewed||복구 코드 새로 받음
token_made||API 토큰 만듦
token_revoked||API 토큰 폐기
refresh_token_reused|Copied session ended|복사된 세션 종료
email_change_asked|Change of address asked for|주소 변경 신청
email_changed||주소 변경
sessions_ended||세션 종료
#account
title|Your data|내 데이터
export|Download as JSON|JSON으로 내려받기
delete|Delete account|계정 삭제
deleteText|Tasks and their history stay, without your name.|작업과 기록은 이름 없이 남습니다.
#failure
title|That did not work|문제가 생겼습니다
gone|Not found|찾을 수 없습니다
again|Try again|다시 시도
#problem
offline|Baton cannot be reached.|서버에 연결할 수 없습니다.
tooOften|Too often. Try again {when}.|요청이 많습니다. {when} 다시 하세요.
server|That failed. Please try again.|실패했습니다. 다시 시도하세요.
`

const MESSAGES = {}
let group
for (const line of TABLE.trim().split('\n')) {
	const [key, english, korean] = line.split('|')
	if (korean) MESSAGES[`${group}.${key}`] = {en: english || key[0].toUpperCase() + key.slice(1).replaceAll('_', ' '), ko: korean}
	else group = key.slice(1)
}

export const t = (key, values = {}) => (MESSAGES[key]?.[locale] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole)

// They take long to make.
const formatters = {}
const formatter = (Kind, options, language = locale) => formatters[language + Kind.name + JSON.stringify(options)] ??= new Kind(language, options)

export function dateText(date) {
	const year = date.startsWith(`${new Date().getFullYear()}-`) ? undefined : 'numeric'
	return formatter(Intl.DateTimeFormat, {month: 'short', day: 'numeric', year, timeZone: 'UTC'}).format(new Date(date))
}

export const timeText = instant => formatter(Intl.DateTimeFormat, {dateStyle: 'medium', timeStyle: 'short', timeZone: zone}).format(new Date(instant))

export const today = () => formatter(Intl.DateTimeFormat, {timeZone: zone}, 'sv').format(new Date())

export const ago = instant => fromNow(Math.min(0, (new Date(instant) - Date.now()) / 1000))

export function fromNow(seconds) {
	const [unit, size] = [['day', 86400], ['hour', 3600], ['minute', 60]].find(([, it]) => Math.abs(seconds) >= it) ?? ['second', 1]
	return formatter(Intl.RelativeTimeFormat, {numeric: 'auto'}).format(Math.ceil(seconds / size), unit)
}
