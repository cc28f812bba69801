/** What the message that warns of a quota says, by language, where there is no template. Pure. */

export type WarningLanguage = "en" | "de" | "es" | "fr";

export interface WarningWords {
  /** `{percent}` is put in. */
  readonly subject: string;
  readonly fullSubject: string;
  readonly greeting: string;
  readonly intro: string;
  readonly fullIntro: string;
  /** Those of them whose limit there is. */
  readonly storage: string;
  readonly messages: string;
  readonly refused: string;
  readonly deferred: string;
  readonly advice: string;
  readonly automatic: string;
  readonly unlimited: string;
}

/** Lines of 76 characters at most when percentages and names are short. */
export const WARNING_WORDS: Readonly<Record<WarningLanguage, WarningWords>> = {
  en: {
    subject: "Your mailbox is {percent} % full",
    fullSubject: "Your mailbox is full",
    greeting: "The mailbox {user}",
    intro: "has little room left: {percent} % of it is used.",
    fullIntro: "is full: a message may have been refused already.",
    storage: "  Storage:   {used} of {limit}",
    messages: "  Messages:  {messages} of {message_limit}",
    refused: "When it is full, new messages are given back to their senders.",
    deferred: "When it is full, new messages wait, and are given back to their senders\n" +
      "after some days.",
    advice: "Please delete messages that you no longer need, or have your mail program\n" +
      "remove them from the server when it has downloaded them.",
    automatic: "This message was made by the mail server. It does not count.",
    unlimited: "unlimited",
  },
  de: {
    subject: "Ihr Postfach ist zu {percent} % voll",
    fullSubject: "Ihr Postfach ist voll",
    greeting: "Das Postfach {user}",
    intro: "hat nur noch wenig Platz: {percent} % davon sind belegt.",
    fullIntro: "ist voll: M\u00f6glicherweise wurde schon eine Nachricht abgewiesen.",
    storage: "  Speicher:    {used} von {limit}",
    messages: "  Nachrichten: {messages} von {message_limit}",
    refused: "Wenn es voll ist, gehen neue Nachrichten an ihre Absender zur\u00fcck.",
    deferred: "Wenn es voll ist, warten neue Nachrichten und gehen nach einigen Tagen an\n" +
      "ihre Absender zur\u00fcck.",
    advice: "Bitte l\u00f6schen Sie Nachrichten, die Sie nicht mehr brauchen, oder stellen\n" +
      "Sie Ihr Mailprogramm so ein, dass es sie nach dem Abrufen vom Server l\u00f6scht.",
    automatic: "Diese Nachricht kommt vom Mailserver. Sie z\u00e4hlt nicht mit.",
    unlimited: "unbegrenzt",
  },
  es: {
    subject: "Su buz\u00f3n est\u00e1 al {percent} %",
    fullSubject: "Su buz\u00f3n est\u00e1 lleno",
    greeting: "El buz\u00f3n {user}",
    intro: "tiene poco espacio libre: est\u00e1 ocupado al {percent} %.",
    fullIntro: "est\u00e1 lleno: es posible que ya se haya rechazado un mensaje.",
    storage: "  Espacio:   {used} de {limit}",
    messages: "  Mensajes:  {messages} de {message_limit}",
    refused: "Cuando est\u00e9 lleno, los mensajes nuevos se devolver\u00e1n a sus remitentes.",
    deferred:
      "Cuando est\u00e9 lleno, los mensajes nuevos esperar\u00e1n y, pasados unos d\u00edas,\n" +
      "se devolver\u00e1n a sus remitentes.",
    advice: "Borre los mensajes que ya no necesite, o configure su programa de correo\n" +
      "para que los borre del servidor despu\u00e9s de descargarlos.",
    automatic: "Este mensaje lo env\u00eda el servidor de correo. No cuenta.",
    unlimited: "ilimitado",
  },
  fr: {
    subject: "Votre bo\u00eete aux lettres est pleine \u00e0 {percent} %",
    fullSubject: "Votre bo\u00eete aux lettres est pleine",
    greeting: "La bo\u00eete aux lettres {user}",
    intro: "n'a plus beaucoup de place : elle est occup\u00e9e \u00e0 {percent} %.",
    fullIntro: "est pleine : un message a peut-\u00eatre d\u00e9j\u00e0 \u00e9t\u00e9 refus\u00e9.",
    storage: "  Espace :    {used} sur {limit}",
    messages: "  Messages :  {messages} sur {message_limit}",
    refused: "Quand elle est pleine, les nouveaux messages sont renvoy\u00e9s \u00e0 leurs\n" +
      "exp\u00e9diteurs.",
    deferred: "Quand elle est pleine, les nouveaux messages attendent, puis sont renvoy\u00e9s\n" +
      "\u00e0 leurs exp\u00e9diteurs apr\u00e8s quelques jours.",
    advice: "Veuillez supprimer les messages dont vous n'avez plus besoin, ou r\u00e9gler\n" +
      "votre logiciel de messagerie pour qu'il les retire du serveur apr\u00e8s les\n" +
      "avoir t\u00e9l\u00e9charg\u00e9s.",
    automatic: "Ce message vient du serveur de messagerie. Il ne compte pas.",
    unlimited: "illimit\u00e9",
  },
};

/** The built-in message, with its variables in it: a header, an empty line and a text. */
export function builtInText(
  words: WarningWords,
  { isFull, exceeded, hasStorage, hasMessages }: {
    readonly isFull: boolean;
    readonly exceeded: "refuse" | "defer";
    readonly hasStorage: boolean;
    readonly hasMessages: boolean;
  },
): string {
  return [
    `Subject: ${isFull ? words.fullSubject : words.subject}`,
    "",
    words.greeting,
    isFull ? words.fullIntro : words.intro,
    "",
    ...hasStorage ? [words.storage] : [],
    ...hasMessages ? [words.messages] : [],
    "",
    exceeded === "refuse" ? words.refused : words.deferred,
    words.advice,
    "",
    words.automatic,
    "",
  ].join("\n");
}
