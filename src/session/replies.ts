/**
 * Every text that a session says. None holds anything that the client sent, and none is read by a
 * program but for what stands here: "octets" behind RETR's figure is looked for by fetchmail in every
 * language; "wait" and "Service ... unavailable" make fetchmail come back later where it would
 * otherwise call the password wrong; "lock" is avoided for the same reason.
 */

import type { Wording } from "./languages.ts";

/** After "+OK ". */
export const DONE = {
  signingOff: { en: "signing off", de: "auf Wiedersehen" },
  updated: { en: "signing off, maildrop updated", de: "auf Wiedersehen, Postfach aktualisiert" },
  userTaken: { en: "send the password with PASS", de: "weiter mit dem Kennwort (PASS)" },
  /** After a number. */
  message: { en: "message", de: "Nachricht" },
  messages: { en: "messages", de: "Nachrichten" },
  beginTls: { en: "begin TLS negotiation", de: "TLS-Aushandlung beginnen" },
  utf8On: { en: "UTF-8 mode is on", de: "UTF-8-Modus ist eingeschaltet" },
  languageSet: { en: "language changed", de: "Sprache geändert" },
  languagesFollow: { en: "language listing follows", de: "Liste der Sprachen folgt" },
  capabilitiesFollow: { en: "capability list follows", de: "Liste der Fähigkeiten folgt" },
  mechanismsFollow: { en: "mechanisms follow", de: "Liste der Mechanismen folgt" },
  scanListingFollows: { en: "scan listing follows", de: "Größenliste folgt" },
  uniqueIdsFollow: { en: "unique-id listing follows", de: "Kennungsliste folgt" },
  topFollows: { en: "top of message follows", de: "Anfang der Nachricht folgt" },
  marked: { en: "message marked as deleted", de: "Nachricht zum Löschen markiert" },
  unmarked: { en: "all marks removed", de: "alle Markierungen entfernt" },
} satisfies Record<string, Wording>;

/** After "-ERR ", and after the response code where there is one. */
export const FAULTS = {
  noCommand: { en: "no command", de: "kein Befehl" },
  unknownCommand: { en: "unknown command", de: "unbekannter Befehl" },
  wrongState: {
    en: "command is not valid in this state",
    de: "Befehl ist in diesem Zustand nicht erlaubt",
  },
  wrongArguments: { en: "wrong arguments", de: "falsche Argumente" },
  lineTooLong: { en: "line too long", de: "Zeile zu lang" },
  tooManyBadCommands: { en: "too many bad commands", de: "zu viele falsche Befehle" },
  otherProtocol: { en: "this is a POP3 server", de: "dies ist ein POP3-Server" },
  userFirst: { en: "send USER first", de: "zuerst USER senden" },
  needsTls: { en: "not allowed without TLS", de: "ohne TLS nicht erlaubt" },
  noTls: { en: "TLS cannot be started here", de: "TLS kann hier nicht begonnen werden" },
  tlsIsOn: { en: "TLS is already on", de: "TLS ist schon eingeschaltet" },
  unknownMechanism: { en: "unknown mechanism", de: "unbekannter Mechanismus" },
  malformedResponse: { en: "malformed SASL response", de: "fehlerhafte SASL-Antwort" },
  cancelled: { en: "authentication cancelled", de: "Anmeldung abgebrochen" },
  wrongCredentials: {
    en: "wrong user name or password",
    de: "Benutzername oder Kennwort ist falsch",
  },
  accountDisabled: { en: "account is disabled", de: "Konto ist gesperrt" },
  tooManyFailures: {
    en: "too many failed logins, wait and try again",
    de: "zu viele fehlgeschlagene Anmeldungen, bitte später erneut versuchen",
  },
  tooManySessions: {
    en: "too many connections, wait and try again",
    de: "zu viele Verbindungen, bitte später erneut versuchen",
  },
  temporary: {
    en: "Service temporarily unavailable",
    de: "Dienst vorübergehend nicht verfügbar",
  },
  permanent: { en: "mailbox cannot be read", de: "Postfach kann nicht gelesen werden" },
  /** The same of one message, where the mailbox could be. */
  unreadable: { en: "message cannot be read", de: "Nachricht kann nicht gelesen werden" },
  unknownLanguage: { en: "language is not available", de: "Sprache ist nicht verfügbar" },
  noSuchMessage: { en: "no such message", de: "keine solche Nachricht" },
  alreadyMarked: { en: "message is marked as deleted", de: "Nachricht ist zum Löschen markiert" },
  messageGone: {
    en: "message is no longer in the mailbox",
    de: "Nachricht ist nicht mehr im Postfach",
  },
  needsUtf8: { en: "message needs UTF8 mode", de: "Nachricht braucht den UTF8-Modus" },
  notAllRemoved: {
    en: "some deleted messages not removed",
    de: "einige gelöschte Nachrichten wurden nicht entfernt",
  },
  idleTooLong: {
    en: "idle too long, closing connection",
    de: "zu lange untätig, Verbindung wird geschlossen",
  },
  shuttingDown: {
    en: "Service unavailable, server is shutting down",
    de: "Dienst nicht verfügbar, Server wird beendet",
  },
  closed: { en: "session is over", de: "Sitzung ist beendet" },
} satisfies Record<string, Wording>;
